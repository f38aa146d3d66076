// Rows of the catalogue: regions, services and their endpoints.
import { inChunks } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { taken } from '../faults.ts'
import * as endpointFilter from '../endpoint-filter/store.ts'
import * as limits from '../limits/store.ts'
import * as policies from '../policies/store.ts'
import { rowsOf } from '../lists-store.ts'
import type { EndpointRow, RegionRow, ServiceRow } from '../schema.ts'

export const { find: findRegion, list: listRegions, add: addRegion, save: saveRegion } = rowsOf<RegionRow>('identityRegions', (row) => taken('region', row.id))
export const allRegions = (tx: IdentityTx): Promise<RegionRow[]> => tx.db.selectFrom('identityRegions').selectAll().execute()
export async function removeRegions(tx: IdentityTx, ids: string[]): Promise<void> {
  await limits.removeRegisteredWhere(tx, 'regionId', ids)
  await policies.dissociate(tx, 'regionId', ids)
  await tx.db.deleteFrom('identityRegions').where('id', 'in', ids).execute()
}
/** Whether any endpoint is in one of them. */
export const regionsInUse = async (tx: IdentityTx, ids: string[]): Promise<boolean> =>
  await tx.db.selectFrom('identityEndpoints').select('id').where('regionId', 'in', ids).limit(1).executeTakeFirst() !== undefined

export const { find: findService, list: listServices, add: addService, save: saveService } = rowsOf<ServiceRow>('identityServices')
export const servicesIn = (tx: IdentityTx, ids: string[]): Promise<ServiceRow[]> => tx.db.selectFrom('identityServices').selectAll().where('id', 'in', [...new Set(ids)]).execute()
/** With its endpoints. */
export async function removeService(tx: IdentityTx, id: string): Promise<void> {
  await forgetEndpoints(tx, (await tx.db.selectFrom('identityEndpoints').select('id').where('serviceId', '=', id).execute()).map((e) => e.id))
  await tx.db.deleteFrom('identityEndpoints').where('serviceId', '=', id).execute()
  await policies.dissociate(tx, 'serviceId', [id])
  await limits.removeRegisteredWhere(tx, 'serviceId', [id])
  await tx.db.deleteFrom('identityServices').where('id', '=', id).execute()
}

export const { find: findEndpoint, list: listEndpoints, add: addEndpoint, save: saveEndpoint } = rowsOf<EndpointRow>('identityEndpoints')
/** What was said of endpoints that go. */
async function forgetEndpoints(tx: IdentityTx, ids: string[]): Promise<void> {
  for (const part of inChunks(ids)) {
    await endpointFilter.forgetEndpoints(tx, part)
    await policies.dissociate(tx, 'endpointId', part)
  }
}
export async function removeEndpoint(tx: IdentityTx, id: string): Promise<void> {
  await forgetEndpoints(tx, [id])
  await tx.db.deleteFrom('identityEndpoints').where('id', '=', id).execute()
}

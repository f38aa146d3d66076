// Rows of the catalogue: regions, services and their endpoints.
import { insert, replace } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { taken } from '../faults.ts'
import type { Page } from '../fields.ts'
import * as endpointFilter from '../endpoint-filter/store.ts'
import * as limits from '../limits/store.ts'
import * as policies from '../policies/store.ts'
import { inChunks, narrowed, type Term } from '../lists-store.ts'
import type { EndpointRow, RegionRow, ServiceRow } from '../schema.ts'

export const findRegion = (tx: IdentityTx, id: string): Promise<RegionRow | undefined> => tx.db.selectFrom('identityRegions').selectAll().where('id', '=', id).executeTakeFirst()
export function listRegions(tx: IdentityTx, filter: { terms?: Term[] }, page: Page): Promise<RegionRow[]> {
  let query = tx.db.selectFrom('identityRegions').selectAll()
  return narrowed(tx, query, filter.terms, page).execute()
}
export const addRegion = (tx: IdentityTx, row: RegionRow): Promise<void> => insert(tx, 'identityRegions', { ...row }, () => taken('region', row.id))
export const saveRegion = (tx: IdentityTx, was: RegionRow, row: RegionRow): Promise<void> => replace(tx, 'identityRegions', was, row)
export const allRegions = (tx: IdentityTx): Promise<RegionRow[]> => tx.db.selectFrom('identityRegions').selectAll().execute()
export async function removeRegions(tx: IdentityTx, ids: string[]): Promise<void> {
  await limits.removeRegisteredWhere(tx, 'regionId', ids)
  await policies.dissociate(tx, 'regionId', ids)
  await tx.db.deleteFrom('identityRegions').where('id', 'in', ids).execute()
}
export const regionsInUse = async (tx: IdentityTx, ids: string[]): Promise<boolean> =>
  await tx.db.selectFrom('identityEndpoints').select('id').where('regionId', 'in', ids).limit(1).executeTakeFirst() !== undefined

export const findService = (tx: IdentityTx, id: string): Promise<ServiceRow | undefined> => tx.db.selectFrom('identityServices').selectAll().where('id', '=', id).executeTakeFirst()
export function listServices(tx: IdentityTx, filter: { terms?: Term[], type?: string, name?: string }, page: Page): Promise<ServiceRow[]> {
  let query = tx.db.selectFrom('identityServices').selectAll()
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  return narrowed(tx, query, filter.terms, page).execute()
}
export const addService = (tx: IdentityTx, row: ServiceRow): Promise<void> => insert(tx, 'identityServices', { ...row })
export const saveService = (tx: IdentityTx, was: ServiceRow, row: ServiceRow): Promise<void> => replace(tx, 'identityServices', was, row)
export const servicesIn = (tx: IdentityTx, ids: string[]): Promise<ServiceRow[]> => tx.db.selectFrom('identityServices').selectAll().where('id', 'in', [...new Set(ids)]).execute()
/** With its endpoints. */
export async function removeService(tx: IdentityTx, id: string): Promise<void> {
  await forgetEndpoints(tx, (await tx.db.selectFrom('identityEndpoints').select('id').where('serviceId', '=', id).execute()).map((e) => e.id))
  await tx.db.deleteFrom('identityEndpoints').where('serviceId', '=', id).execute()
  await policies.dissociate(tx, 'serviceId', [id])
  await limits.removeRegisteredWhere(tx, 'serviceId', [id])
  await tx.db.deleteFrom('identityServices').where('id', '=', id).execute()
}

export const findEndpoint = (tx: IdentityTx, id: string): Promise<EndpointRow | undefined> => tx.db.selectFrom('identityEndpoints').selectAll().where('id', '=', id).executeTakeFirst()
export function listEndpoints(tx: IdentityTx, filter: { terms?: Term[], interface?: string, serviceId?: string, regionId?: string }, page: Page): Promise<EndpointRow[]> {
  let query = tx.db.selectFrom('identityEndpoints').selectAll()
  if (filter.interface !== undefined) query = query.where('interface', '=', filter.interface)
  if (filter.serviceId !== undefined) query = query.where('serviceId', '=', filter.serviceId)
  if (filter.regionId !== undefined) query = query.where('regionId', '=', filter.regionId)
  return narrowed(tx, query, filter.terms, page).execute()
}
export const addEndpoint = (tx: IdentityTx, row: EndpointRow): Promise<void> => insert(tx, 'identityEndpoints', { ...row })
export const saveEndpoint = (tx: IdentityTx, was: EndpointRow, row: EndpointRow): Promise<void> => replace(tx, 'identityEndpoints', was, row)
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

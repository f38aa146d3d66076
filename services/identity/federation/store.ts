// Rows of providers, protocols, mappings and service providers.
import { conflict } from '#base/errors.ts'
import { inChunks, insert, replace } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import * as users from '../users/store.ts'
import { forgetVouching } from './links-store.ts'
import type { MappingRow, ProtocolRow, ProviderRow, ServiceProviderRow } from './schema.ts'

/** A provider with the ids it calls itself by. */
export type Provider = ProviderRow & { remoteIds: string[] }
interface EnabledFilter { id?: string, enabled?: boolean }
const duplicate = (what: string, id: string) => () => conflict(`Conflict occurred attempting to store ${what} - Duplicate entry found with ID ${id}.`)

async function withRemoteIds(tx: IdentityTx, rows: ProviderRow[]): Promise<Provider[]> {
  const found = new Map(rows.map((row): [string, Provider] => [row.id, { ...row, remoteIds: [] }]))
  if (rows.length > 0) {
    const remoteIds = await tx.db.selectFrom('identityRemoteIds').selectAll().orderBy('remoteId').execute()
    for (const { idpId, remoteId } of remoteIds) found.get(idpId)?.remoteIds.push(remoteId)
  }
  return [...found.values()]
}

export async function listProviders(tx: IdentityTx, filter: EnabledFilter): Promise<Provider[]> {
  let query = tx.db.selectFrom('identityIdentityProviders').selectAll()
  if (filter.id !== undefined) query = query.where('id', '=', filter.id)
  if (filter.enabled !== undefined) query = query.where('enabled', '=', filter.enabled ? 1 : 0)
  return withRemoteIds(tx, await query.orderBy('id').execute())
}
export const findProvider = async (tx: IdentityTx, id: string): Promise<Provider | undefined> => (await listProviders(tx, { id }))[0]

async function setRemoteIds(tx: IdentityTx, idpId: string, remoteIds: string[]): Promise<void> {
  await tx.db.deleteFrom('identityRemoteIds').where('idpId', '=', idpId).execute()
  for (const remoteId of remoteIds) {
    await insert(tx, 'identityRemoteIds', { remoteId, idpId }, () => conflict(`Conflict occurred attempting to store identity_provider - Duplicate remote ID: ${remoteId}`))
  }
}
export async function addProvider(tx: IdentityTx, { remoteIds, ...row }: Provider): Promise<void> {
  await insert(tx, 'identityIdentityProviders', row, duplicate('identity_provider', row.id))
  await setRemoteIds(tx, row.id, remoteIds)
}
/** The remote ids are written when they are others than before. */
export async function saveProvider(tx: IdentityTx, { remoteIds: had, ...was }: Provider, { remoteIds, ...row }: Provider): Promise<void> {
  await replace(tx, 'identityIdentityProviders', was, row)
  if (remoteIds !== had) await setRemoteIds(tx, row.id, remoteIds)
}
async function forget(tx: IdentityTx, idpId: string, protocolId?: string): Promise<void> {
  for (const nobodies of inChunks(await forgetVouching(tx, idpId, protocolId))) await users.remove(tx, nobodies)
}
/** The provider, and the users that are nobody without it. */
export async function removeProvider(tx: IdentityTx, id: string): Promise<void> {
  await forget(tx, id)
  for (const table of ['identityRemoteIds', 'identityFederationProtocols', 'identityExpiringMemberships'] as const) await tx.db.deleteFrom(table).where('idpId', '=', id).execute()
  await tx.db.deleteFrom('identityIdentityProviders').where('id', '=', id).execute()
}
/** What goes with a domain. */
export async function removeProvidersOf(tx: IdentityTx, domainId: string): Promise<void> {
  for (const { id } of await tx.db.selectFrom('identityIdentityProviders').select('id').where('domainId', '=', domainId).execute()) await removeProvider(tx, id)
}

export const listProtocols = (tx: IdentityTx, idpId: string): Promise<ProtocolRow[]> =>
  tx.db.selectFrom('identityFederationProtocols').selectAll().where('idpId', '=', idpId).orderBy('id').execute()
/** Those of all providers that are named so and can be asked. */
export const protocolsNamed = (tx: IdentityTx, id: string): Promise<ProtocolRow[]> =>
  tx.db.selectFrom('identityFederationProtocols as p').innerJoin('identityIdentityProviders as i', 'i.id', 'p.idpId')
  .selectAll('p').where('p.id', '=', id).where('i.enabled', '=', 1).where('p.relyingParty', 'is not', null).orderBy('p.idpId').limit(100).execute()
export const findProtocol = (tx: IdentityTx, idpId: string, id: string): Promise<ProtocolRow | undefined> =>
  tx.db.selectFrom('identityFederationProtocols').selectAll().where('idpId', '=', idpId).where('id', '=', id).executeTakeFirst()
export const addProtocol = (tx: IdentityTx, row: ProtocolRow): Promise<void> => insert(tx, 'identityFederationProtocols', { ...row }, duplicate('federation_protocol', row.id))
export const saveProtocol = (tx: IdentityTx, was: ProtocolRow, row: ProtocolRow): Promise<void> => replace(tx, 'identityFederationProtocols', was, row)
/** The protocol, and the users that are nobody without it. */
export const removeProtocol = async (tx: IdentityTx, row: ProtocolRow): Promise<void> => {
  await forget(tx, row.idpId, row.id)
  await tx.db.deleteFrom('identityFederationProtocols').where('idpId', '=', row.idpId).where('id', '=', row.id).execute()
}

export const listMappings = (tx: IdentityTx): Promise<MappingRow[]> => tx.db.selectFrom('identityMappings').selectAll().orderBy('id').execute()
export const findMapping = (tx: IdentityTx, id: string): Promise<MappingRow | undefined> => tx.db.selectFrom('identityMappings').selectAll().where('id', '=', id).executeTakeFirst()
export const addMapping = (tx: IdentityTx, row: MappingRow): Promise<void> => insert(tx, 'identityMappings', { ...row }, duplicate('mapping', row.id))
export const saveMapping = (tx: IdentityTx, was: MappingRow, row: MappingRow): Promise<void> => replace(tx, 'identityMappings', was, row)
export const removeMapping = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityMappings').where('id', '=', id).execute() }

export function listServiceProviders(tx: IdentityTx, filter: EnabledFilter): Promise<ServiceProviderRow[]> {
  let query = tx.db.selectFrom('identityServiceProviders').selectAll()
  if (filter.id !== undefined) query = query.where('id', '=', filter.id)
  if (filter.enabled !== undefined) query = query.where('enabled', '=', filter.enabled ? 1 : 0)
  return query.orderBy('id').execute()
}
export const findServiceProvider = async (tx: IdentityTx, id: string): Promise<ServiceProviderRow | undefined> => (await listServiceProviders(tx, { id }))[0]
export const addServiceProvider = (tx: IdentityTx, row: ServiceProviderRow): Promise<void> =>
  insert(tx, 'identityServiceProviders', { ...row }, duplicate('service_provider', row.id))
export const saveServiceProvider = (tx: IdentityTx, was: ServiceProviderRow, row: ServiceProviderRow): Promise<void> => replace(tx, 'identityServiceProviders', was, row)
export const removeServiceProvider = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityServiceProviders').where('id', '=', id).execute() }

// Which users providers vouch for: (provider, protocol, unique id) is one user. Logins make these links, and administrators through users' `federated`.
import { conflict } from '#base/errors.ts'
import { inChunks, insert } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'

/** A link without whose it is. */
export interface Link { idpId: string, protocolId: string, uniqueId: string }
const columns = ['idpId', 'protocolId', 'uniqueId'] as const

export const linksOf = (tx: IdentityTx, userId: string): Promise<Link[]> =>
  tx.db.selectFrom('identityFederatedUsers').select(columns).where('userId', '=', userId).orderBy('idpId').orderBy('protocolId').orderBy('uniqueId').execute()

/** The id of the user that a provider calls so; undefined when nobody has come by that link. */
export const linkedUser = async (tx: IdentityTx, link: Link): Promise<string | undefined> =>
  (await tx.db.selectFrom('identityFederatedUsers').select('userId').where('idpId', '=', link.idpId)
    .where('protocolId', '=', link.protocolId).where('uniqueId', '=', link.uniqueId).executeTakeFirst())?.userId

/** Throws the 409 when one of them is somebody's already. */
export async function addLinks(tx: IdentityTx, userId: string, links: Link[]): Promise<void> {
  if (links.length > 0) {
    const taken = (): Error => conflict('Conflict occurred attempting to store federated_user - Duplicate entry found with one of the unique ids.')
    await insert(tx, 'identityFederatedUsers', links.map((link) => ({ ...link, userId })), taken)
  }
}
/** Of providers by their ids: whose domain each is, and its protocols. */
export async function waysOf(tx: IdentityTx, idpIds: string[]): Promise<Map<string, { domainId: string, protocols: Set<string> }>> {
  const ways = new Map<string, { domainId: string, protocols: Set<string> }>()
  if (idpIds.length === 0) return ways
  for (const { id, domainId } of await tx.db.selectFrom('identityIdentityProviders').select(['id', 'domainId']).where('id', 'in', idpIds).execute()) {
    ways.set(id, { domainId, protocols: new Set() })
  }
  for (const { id, idpId } of await tx.db.selectFrom('identityFederationProtocols').select(['id', 'idpId']).where('idpId', 'in', idpIds).execute()) {
    ways.get(idpId)?.protocols.add(id)
  }
  return ways
}
export const removeLinksOf = async (tx: IdentityTx, userId: string): Promise<void> => { await tx.db.deleteFrom('identityFederatedUsers').where('userId', '=', userId).execute() }

/**
 * Of who has a link: whether a login made him, and he is nobody but whom his providers vouch for. Other ids are of 32 digits, but for those of directories' people,
 * who get no links.
 */
export const madeByLogin = (userId: string): boolean => userId.length === 64

/** Forgets whom a provider vouches for, by one protocol or all. Answers the users who are nobody without it, for the caller to remove. */
export async function forgetVouching(tx: IdentityTx, idpId: string, protocolId?: string): Promise<string[]> {
  const of = protocolId === undefined ? { idpId } : { idpId, protocolId }
  const links = tx.db.selectFrom('identityFederatedUsers').select('userId').distinct().where((eb) => eb.and(of))
  const users = (await links.execute()).map((row) => row.userId).filter(madeByLogin)
  await tx.db.deleteFrom('identityFederatedUsers').where((eb) => eb.and(of)).execute()
  const left = new Set<string>()
  for (const some of inChunks(users)) {
    for (const { userId } of await tx.db.selectFrom('identityFederatedUsers').select('userId').where('userId', 'in', some).execute()) left.add(userId)
  }
  return users.filter((id) => !left.has(id))
}

// What authentication looks up, and revocations.
import type { IdentityTx } from '../deps.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { ApplicationCredentialRow, UserRow } from '../schema.ts'

export interface Named { id?: string, name?: string }
/** A user by his id, or by his name in a domain. */
export interface UserRef extends Named { domain?: Named }
export interface FoundUser { user: UserRow, /** He and his domain are enabled. */ mayEnter: boolean }

/** By his id if it is said, else by his name in the domain that is said. */
export async function findUser(tx: IdentityTx, ref: UserRef): Promise<FoundUser | undefined> {
  let query = tx.db.selectFrom('identityUsers as u').innerJoin('identityProjects as d', 'd.id', 'u.domainId').selectAll('u').select('d.enabled as domainEnabled')
  if (ref.id) query = query.where('u.id', '=', ref.id)
  else {
    query = query.where('u.name', '=', ref.name!)
    query = ref.domain?.name ? query.where('d.name', '=', ref.domain.name).where('d.isDomain', '=', 1) : query.where('d.id', '=', ref.domain?.id ?? '')
  }
  const row = await query.executeTakeFirst()
  if (!row) return undefined
  const { domainEnabled, ...user } = row
  return { user: { ...user, generation: Number(user.generation) }, mayEnter: user.enabled === 1 && domainEnabled === 1 }
}

/** Of enabled users or not: `mayEnter` tells. */
export async function findCredential(
  tx: IdentityTx, ref: { id: string } | { name: string, user: UserRef },
): Promise<(FoundUser & { credential: ApplicationCredentialRow }) | undefined> {
  let query = tx.db.selectFrom('identityApplicationCredentials').selectAll()
  if ('id' in ref) query = query.where('id', '=', ref.id)
  else {
    const owner = await findUser(tx, ref.user)
    if (!owner) return undefined
    query = query.where('userId', '=', owner.user.id).where('name', '=', ref.name)
  }
  const credential = await query.executeTakeFirst()
  const owner = credential && await findUser(tx, { id: credential.userId })
  return owner && { ...owner, credential: credential! }
}

/** The id of a domain or project as a scope names it. */
export async function findScope(tx: IdentityTx, ref: UserRef, isDomain: boolean): Promise<{ id: string, generation: number } | undefined> {
  let query = tx.db.selectFrom('identityProjects as p').select(['p.id', 'p.generation'])
  // keystone looks for the name first.
  if (!ref.name) query = query.where('p.id', '=', ref.id ?? '')
  else {
    query = query.where('p.name', '=', ref.name)
    if (!isDomain) query = ref.domain?.name
      ? query.where('p.domainId', 'in', tx.db.selectFrom('identityProjects').select('id').where('name', '=', ref.domain.name).where('isDomain', '=', 1))
      : query.where('p.domainId', '=', ref.domain?.id ?? '')
  }
  if (isDomain) query = query.where('p.isDomain', '=', 1)
  const row = await query.executeTakeFirst()
  return row && { id: row.id, generation: Number(row.generation) }
}

/** Ends one token. What nobody can be told of any more is swept: `toldSeconds` after its end, for `allow_expired`. */
export async function revoke(tx: IdentityTx, auditId: string, expiresAtSeconds: number, nowSeconds: number, toldSeconds: number): Promise<void> {
  await insertIfAbsent(tx, 'identityRevocations', { auditId, expiresAtSeconds, revokedAt: new Date(nowSeconds * 1000).toISOString() })
  await tx.db.deleteFrom('identityRevocations').where('expiresAtSeconds', '<', nowSeconds - toldSeconds).execute()
}

/** Tokens that were revoked one by one and may still be asked for, the latest last. */
export async function revocations(tx: IdentityTx, since: string): Promise<{ auditId: string, revokedAt: string }[]> {
  const rows = await tx.db.selectFrom('identityRevocations').select(['auditId', 'revokedAt']).where('revokedAt', '>=', since).orderBy('revokedAt').limit(10_000).execute()
  return rows.map(({ auditId, revokedAt }) => ({ auditId, revokedAt: revokedAt! }))
}

// Rows of users.
import type { IdentityTx } from '../deps.ts'
import { removeDelegations } from '../trusts/owners-store.ts'
import { taken } from '../faults.ts'
import type { Page } from '../fields.ts'
import { matching, narrowed, rowsOf, type Term } from '../lists-store.ts'
import * as passwords from '../passwords/store.ts'
import { removeTokens } from '../oauth1/store.ts'
import type { UserRow } from '../schema.ts'

/** When a password ends, compared with an ISO instant. */
export interface Expiry { operator: '<' | '<=' | '>' | '>=' | '=' | '<>', at: string }
export interface UserFilter { terms?: Term[], /** Of one link to a provider. */ links?: Term[], name?: string, domainId?: string, groupId?: string, expires?: Expiry[] }

/** In the order of their ids; a group's members if `groupId` is said. */
export function list(tx: IdentityTx, filter: UserFilter, page: Page = {}): Promise<UserRow[]> {
  let query = tx.db.selectFrom('identityUsers as u').selectAll('u')
  if (filter.name !== undefined) query = query.where('u.name', '=', filter.name)
  if (filter.domainId !== undefined) query = query.where('u.domainId', '=', filter.domainId)
  if (filter.groupId !== undefined) query = query.where('u.id', 'in', tx.db.selectFrom('identityMemberships').select('userId').where('groupId', '=', filter.groupId))
  if (filter.links?.length) query = query.where('u.id', 'in', matching(tx, tx.db.selectFrom('identityFederatedUsers').select('userId'), filter.links))
  for (const { operator, at } of filter.expires ?? []) query = query.where('u.passwordExpiresAt', operator, at)
  return narrowed(tx, query, filter.terms, page, 'u').execute()
}

export const { find, add, save } = rowsOf<UserRow>('identityUsers', (row) => taken('user', row.name, row.domainId))

/** The users and everything that hung on them. */
export async function remove(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.db.deleteFrom('identityAssignments').where('actorId', 'in', ids).where('actorType', '=', 'user').execute()
  await tx.db.deleteFrom('identityMemberships').where('userId', 'in', ids).execute()
  await tx.db.deleteFrom('identityExpiringMemberships').where('userId', 'in', ids).execute()
  await removeTokens(tx, 'userId', ids)
  await tx.db.deleteFrom('identityFederatedUsers').where('userId', 'in', ids).execute()
  await tx.db.deleteFrom('identityDirectoryEntries').where('id', 'in', ids).execute()
  await removeDelegations(tx, ids)
  await passwords.forgetUsers(tx, ids)
  await tx.db.deleteFrom('identityUsers').where('id', 'in', ids).execute()
}

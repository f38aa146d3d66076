// Rows of groups and who is in them.
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { taken } from '../faults.ts'
import type { Page } from '../fields.ts'
import { narrowed, rowsOf, type Term } from '../lists-store.ts'
import type { GroupRow } from '../schema.ts'

export interface GroupFilter { terms?: Term[], domainId?: string, userId?: string }

/** The groups a user is in: by membership, and those a provider put him into for a while. */
export const groupIdsOf = (tx: IdentityTx, userId: string) => tx.db.selectFrom('identityMemberships').select('groupId').where('userId', '=', userId)
  .union(tx.db.selectFrom('identityExpiringMemberships').select('groupId').where('userId', '=', userId).where('expiresAtSeconds', '>', Math.floor(Date.now() / 1000)))

/** Those that this provider put the user into, and for which the time is not over. */
export async function federatedGroupIds(tx: IdentityTx, userId: string, idpId: string): Promise<string[]> {
  const rows = await tx.db.selectFrom('identityExpiringMemberships').select('groupId')
    .where('userId', '=', userId).where('idpId', '=', idpId).where('expiresAtSeconds', '>', Math.floor(Date.now() / 1000)).orderBy('groupId').execute()
  return rows.map((row) => row.groupId)
}

export function list(tx: IdentityTx, filter: GroupFilter, page: Page = {}): Promise<GroupRow[]> {
  let query = tx.db.selectFrom('identityGroups as g').selectAll('g')
  if (filter.domainId !== undefined) query = query.where('g.domainId', '=', filter.domainId)
  if (filter.userId !== undefined) query = query.where('g.id', 'in', groupIdsOf(tx, filter.userId))
  return narrowed(tx, query, filter.terms, page, 'g').execute()
}

export const { find, add, save } = rowsOf<GroupRow>('identityGroups', (row) => taken('group', row.name, row.domainId))

/** With their memberships and their roles. */
export async function remove(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.db.deleteFrom('identityAssignments').where('actorId', 'in', ids).where('actorType', '=', 'group').execute()
  await tx.db.deleteFrom('identityMemberships').where('groupId', 'in', ids).execute()
  await tx.db.deleteFrom('identityExpiringMemberships').where('groupId', 'in', ids).execute()
  await tx.db.deleteFrom('identityDirectoryEntries').where('id', 'in', ids).execute()
  await tx.db.deleteFrom('identityGroups').where('id', 'in', ids).execute()
}

/** False when he was in it already. */
export const join = (tx: IdentityTx, groupId: string, userId: string): Promise<boolean> => insertIfAbsent(tx, 'identityMemberships', { userId, groupId })
/** False when he was not in it. */
export const leave = async (tx: IdentityTx, groupId: string, userId: string): Promise<boolean> =>
  Number((await tx.db.deleteFrom('identityMemberships').where('groupId', '=', groupId).where('userId', '=', userId).executeTakeFirst()).numDeletedRows) > 0
/** For good; memberships for a while do not count. */
export const isIn = async (tx: IdentityTx, groupId: string, userId: string): Promise<boolean> =>
  await tx.db.selectFrom('identityMemberships').select('userId').where('groupId', '=', groupId).where('userId', '=', userId).executeTakeFirst() !== undefined

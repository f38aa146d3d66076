// Rows of assignments: who has which role where.
import { inChunks, insertIfAbsent } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { groupIdsOf } from '../groups/store.ts'
import type { ActorType, AssignmentRow, RoleRow, TargetType } from '../schema.ts'

/** Who has roles where, and whether below: everything of an assignment but the role. */
export type Place = Pick<AssignmentRow, 'actorType' | 'actorId' | 'targetType' | 'targetId' | 'inherited'>
/** What a list is narrowed to; undefined: everything. */
export interface AssignmentFilter { actorIds?: { type: ActorType, ids: string[] }[], targets?: { type: TargetType, ids: string[] }[], roleIds?: string[], inherited?: boolean }

const at = (tx: IdentityTx, place: Place) => tx.db.selectFrom('identityAssignments as a').where('a.actorType', '=', place.actorType).where('a.actorId', '=', place.actorId)
  .where('a.targetType', '=', place.targetType).where('a.targetId', '=', place.targetId).where('a.inherited', '=', place.inherited)

/** False when it stood already. */
export const grant = (tx: IdentityTx, row: AssignmentRow): Promise<boolean> => insertIfAbsent(tx, 'identityAssignments', { ...row })

export const has = async (tx: IdentityTx, place: Place, roleId: string): Promise<boolean> =>
  await at(tx, place).select('a.roleId').where('a.roleId', '=', roleId).executeTakeFirst() !== undefined

export const rolesAt = (tx: IdentityTx, place: Place): Promise<RoleRow[]> =>
  at(tx, place).innerJoin('identityRoles as r', 'r.id', 'a.roleId').selectAll('r').orderBy('r.id').execute()

/** Answers whether there was one. */
export async function revoke(tx: IdentityTx, row: AssignmentRow): Promise<boolean> {
  const { numDeletedRows } = await tx.db.deleteFrom('identityAssignments')
    .where('actorType', '=', row.actorType).where('actorId', '=', row.actorId).where('targetType', '=', row.targetType).where('targetId', '=', row.targetId)
    .where('roleId', '=', row.roleId).where('inherited', '=', row.inherited).executeTakeFirst()
  return Number(numDeletedRows) > 0
}

/** `IN ()` is no SQL: nobody has the empty id. */
const oneOrMore = (ids: string[]): string[] => (ids.length > 0 ? ids : [''])

/** In the order of targets, actors and roles. */
export function list(tx: IdentityTx, filter: AssignmentFilter): Promise<AssignmentRow[]> {
  const { actorIds, targets } = filter
  let query = tx.db.selectFrom('identityAssignments').selectAll()
  if (actorIds) {
    query = query.where((eb) => eb.or(actorIds.map(({ type, ids }) => eb.and([eb('actorType', '=', type), eb('actorId', 'in', oneOrMore(ids))]))))
  }
  if (targets) {
    query = query.where((eb) => eb.or(targets.map(({ type, ids }) => eb.and([eb('targetType', '=', type), eb('targetId', 'in', oneOrMore(ids))]))))
  }
  if (filter.roleIds) query = query.where('roleId', 'in', filter.roleIds)
  if (filter.inherited !== undefined) query = query.where('inherited', '=', filter.inherited ? 1 : 0)
  return query.orderBy('targetId').orderBy('actorId').orderBy('roleId').execute()
}

/** The ids of the groups a user is in, also for a while only. */
export const groupsOf = async (tx: IdentityTx, userId: string): Promise<string[]> => (await groupIdsOf(tx, userId).execute()).map((r) => r.groupId)

/** Who is in these groups for good. As in keystone, whom a provider put in for a while is not listed: he is told when he is asked about. */
export async function members(tx: IdentityTx, groupIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (groupIds.length === 0) return found
  let query = tx.db.selectFrom('identityMemberships').selectAll()
  if (groupIds.length <= 200) query = query.where('groupId', 'in', groupIds)
  for (const { groupId, userId } of await query.orderBy('userId').execute()) found.set(groupId, [...(found.get(groupId) ?? []), userId])
  return found
}

export interface TreeNode { id: string, parentId: string | null, isDomain: number, domainId: string }
/** All projects and domains. */
export const tree = (tx: IdentityTx): Promise<TreeNode[]> => tx.db.selectFrom('identityProjects').select(['id', 'parentId', 'isDomain', 'domainId']).execute()

export interface Name { id: string, name: string, domainId: string }
/** The names of what a list speaks of: one query a kind. */
export async function names(
  tx: IdentityTx, table: 'identityUsers' | 'identityGroups' | 'identityRoles' | 'identityProjects', wanted: Iterable<string>,
): Promise<Map<string, Name>> {
  const found = new Map<string, Name>()
  for (const ids of inChunks([...new Set(wanted)], 400)) {
    for (const row of await tx.db.selectFrom(table).select(['id', 'name', 'domainId']).where('id', 'in', ids).execute()) found.set(row.id, row)
  }
  return found
}

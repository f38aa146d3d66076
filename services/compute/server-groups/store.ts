// Rows of server groups and their members.
import { overQuota } from '#base/errors.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { BuildPlan } from '../lifecycle.ts'
import type { ServerGroupRow } from '../schema.ts'

export interface ServerGroup extends ServerGroupRow { members: string[] }

async function withMembers(tx: ComputeTx, rows: ServerGroupRow[]): Promise<ServerGroup[]> {
  if (rows.length === 0) return []
  const members = await tx.db.selectFrom('computeServerGroupMembers').selectAll().where('groupId', 'in', rows.map((r) => r.id)).orderBy('serverId').execute()
  const of = Map.groupBy(members, (m) => m.groupId)
  return rows.map((row) => ({ ...row, members: (of.get(row.id) ?? []).map((m) => m.serverId) }))
}

export async function find(tx: ComputeTx, id: string): Promise<ServerGroup | undefined> {
  const row = await tx.db.selectFrom('computeServerGroups').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withMembers(tx, [row]))[0]
}

/** Without a project: everybody's. */
export async function list(tx: ComputeTx, projectId: string | undefined, limit: number, offset: number): Promise<ServerGroup[]> {
  let query = tx.db.selectFrom('computeServerGroups').selectAll()
  if (projectId !== undefined) query = query.where('projectId', '=', projectId)
  return withMembers(tx, await query.orderBy('createdAt').orderBy('id').limit(limit).offset(offset).execute())
}

export const add = (tx: ComputeTx, row: ServerGroupRow): Promise<void> => insert(tx, 'computeServerGroups', { ...row })

export async function remove(tx: ComputeTx, id: string): Promise<boolean> {
  await tx.db.deleteFrom('computeServerGroupMembers').where('groupId', '=', id).execute()
  return (await tx.db.deleteFrom('computeServerGroups').where('id', '=', id).executeTakeFirst()).numDeletedRows > 0n
}

/** Until the end of the transaction nobody else who asks for it counts the group's members: its row is written. */
export const lock = (tx: ComputeTx, groupId: string): Promise<number> => change(tx, 'computeServerGroups', { id: groupId }, { id: groupId })

/** Throws nova's 403 unless so many more may join. */
export async function makeRoom(tx: ComputeTx, groupId: string, count: number, limit: number): Promise<void> {
  await lock(tx, groupId)
  const { n } = await tx.db.selectFrom('computeServerGroupMembers').select(({ fn }) => fn.countAll().as('n')).where('groupId', '=', groupId).executeTakeFirstOrThrow()
  if (limit >= 0 && Number(n) + count > limit) throw overQuota('Quota exceeded, too many servers in group')
}

export const maxPerHost = (row: Pick<ServerGroupRow, 'rules'>): number | undefined => (JSON.parse(row.rules) as { max_server_per_host?: number }).max_server_per_host

/** As the scheduler wants it. */
export const planned = (group: ServerGroup): NonNullable<BuildPlan['group']> => {
  const most = maxPerHost(group)
  return { id: group.id, policy: group.policy, ...(most !== undefined && { maxServerPerHost: most }) }
}

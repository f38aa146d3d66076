// Rows of security groups and their rules.
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { lostRace } from '../resource/race.ts'
import { padded, tagFilters, type Filters } from '../resource/store.ts'
import type { GroupRow, RuleRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<GroupRow | undefined> => tx.db.selectFrom('networkGroups').selectAll().where('id', '=', id).executeTakeFirst()
export const byIds = async (tx: NetworkTx, ids: string[]): Promise<GroupRow[]> => ids.length === 0 ? [] : tx.db.selectFrom('networkGroups').selectAll().where('id', 'in', padded(ids)).execute()
export const defaultOf = (tx: NetworkTx, projectId: string): Promise<GroupRow | undefined> => tx.db.selectFrom('networkGroups').selectAll().where('defaultFor', '=', projectId).executeTakeFirst()
export const add = (tx: NetworkTx, row: GroupRow): Promise<void> => insert(tx, 'networkGroups', { ...row }, lostRace)

export async function remove(tx: NetworkTx, id: string): Promise<void> {
  await tx.db.deleteFrom('networkRules').where((eb) => eb.or([eb('groupId', '=', id), eb('remoteGroupId', '=', id)])).execute()
  await tx.db.deleteFrom('networkGroups').where('id', '=', id).execute()
}

export const portIn = (tx: NetworkTx, id: string): Promise<{ portId: string } | undefined> => tx.db.selectFrom('networkPortGroups').select('portId').where('groupId', '=', id).limit(1).executeTakeFirst()

/** A group's own rules, and those of other groups that name it. */
export const rulesAbout = (tx: NetworkTx, id: string): Promise<RuleRow[]> =>
  tx.db.selectFrom('networkRules').selectAll().where((eb) => eb.or([eb('groupId', '=', id), eb('remoteGroupId', '=', id)])).execute()

export async function rulesOf(tx: NetworkTx, groupIds: string[]): Promise<Map<string, RuleRow[]>> {
  const found = new Map<string, RuleRow[]>()
  if (groupIds.length === 0) return found
  for (const row of await tx.db.selectFrom('networkRules').selectAll().where('groupId', 'in', padded(groupIds)).orderBy('createdAt').orderBy('id').execute()) {
    const known = found.get(row.groupId)
    if (known) known.push(row)
    else found.set(row.groupId, [row])
  }
  return found
}

export const addRules = (tx: NetworkTx, rows: RuleRow[]): Promise<void> => insert(tx, 'networkRules', rows.map((row) => ({ ...row })), lostRace)
export const findRule = (tx: NetworkTx, id: string): Promise<RuleRow | undefined> => tx.db.selectFrom('networkRules').selectAll().where('id', '=', id).executeTakeFirst()
export const sameRule = (tx: NetworkTx, groupId: string, fingerprint: string): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkRules').select('id').where('groupId', '=', groupId).where('fingerprint', '=', fingerprint).executeTakeFirst()
export const removeRule = async (tx: NetworkTx, id: string): Promise<void> => { await tx.db.deleteFrom('networkRules').where('id', '=', id).execute() }

export const filters: Filters = tagFilters

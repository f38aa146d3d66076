// Rows of servers and of what belongs to them. States are moved by the conductor's servers-store.ts.
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from 'kysely'
import { now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { ComputeTables, InstanceRow, ServerFaultRow, ServerRow, TaskState, VmState } from '../schema.ts'

/** The user's record, and what the host last saw of the guest. */
export interface Server extends ServerRow { power: InstanceRow['power'] | null }

export interface StateFilter { vm: VmState, tasks?: TaskState[], notTasks?: TaskState[] }
export type Column = keyof ServerRow | 'power'
export interface Sort { column: Column, down: boolean }

export interface ServerFilter {
  projectId?: string
  /** undefined: whether deleted or not. */
  deleted?: boolean
  changesSince?: string
  changesBefore?: string
  /** Any of these. */
  states?: StateFilter[]
  vmStates?: VmState[]
  powers?: (InstanceRow['power'] | null)[]
  /** null asks for rows without a value. */
  equal: Partial<Record<keyof ServerRow, string | number | null>>
  /** Text that a column must contain; case may or may not count, the caller looks again. */
  contains: { column: keyof ServerRow, text: string }[]
  locked?: boolean
  tags?: string[]
  tagsAny?: string[]
  notTags?: string[]
  notTagsAny?: string[]
}

type Tables = ComputeTables & { s: ServerRow, i: InstanceRow }
type Build = ExpressionBuilder<Tables, 's' | 'i'>

const servers = (tx: ComputeTx) => tx.db.selectFrom('computeServers as s').leftJoin('computeInstances as i', 'i.serverId', 's.id').selectAll('s').select('i.power')

export const find = (tx: ComputeTx, id: string): Promise<Server | undefined> =>
  servers(tx).where('s.id', '=', id).where('s.deletedAt', 'is', null).executeTakeFirst() as Promise<Server | undefined>

/** Deleted ones too: for markers of lists, and for what outlives a server. */
export const findEver = (tx: ComputeTx, id: string): Promise<Server | undefined> => servers(tx).where('s.id', '=', id).executeTakeFirst() as Promise<Server | undefined>

/** nova's vm_state as servers/state.ts derives it, for the database. */
const vmStateSql = sql<VmState>`CASE WHEN s.task_state IS NULL AND i.power IS NOT NULL AND s.vm_state IN ('active', 'paused', 'suspended', 'stopped')
  THEN CASE i.power WHEN 'running' THEN 'active' WHEN 'paused' THEN 'paused' WHEN 'suspended' THEN 'suspended' ELSE 'stopped' END ELSE s.vm_state END`

/** How many servers there are in each vm_state, the deleted ones left out: for operators. */
export async function countByState(tx: ComputeTx): Promise<Partial<Record<VmState, number>>> {
  const rows = await servers(tx).clearSelect().select([vmStateSql.as('state')]).select(({ fn }) => fn.countAll().as('n')).where('s.deletedAt', 'is', null).groupBy('state').execute()
  return Object.fromEntries(rows.map((r) => [r.state, Number(r.n)]))
}

const nullable = new Set<Column>(['description', 'imageId', 'keyName', 'taskState', 'host', 'node', 'requestedAz', 'lockedBy', 'accessIpV4', 'accessIpV6', 'launchedAt', 'terminatedAt', 'deletedAt', 'power'])
/** NULLs sort and compare as empty text, the same on every engine. */
const sortable = (column: Column): Expression<unknown> => {
  const ref = sql.ref(column === 'power' ? 'i.power' : column === 'vmState' ? 's.vmState' : `s.${column}`)
  return column === 'vmState' ? vmStateSql : nullable.has(column) ? sql`COALESCE(${ref}, '')` : ref
}
const valueOf = (server: Server, column: Column): unknown => server[column] ?? (nullable.has(column) ? '' : server[column])

function tagged(e: Build, tags: string[], all: boolean): Expression<SqlBool> {
  const having = (some: string[]): Expression<SqlBool> => e.exists(e.selectFrom('computeServerTags as t').select(sql`1`.as('one')).whereRef('t.serverId', '=', 's.id').where('t.tag', 'in', some))
  return all ? e.and(tags.map((tag) => having([tag]))) : having(tags)
}

function conditions(e: Build, f: ServerFilter): Expression<SqlBool>[] {
  const out: Expression<SqlBool>[] = []
  if (f.projectId !== undefined) out.push(e('s.projectId', '=', f.projectId))
  if (f.deleted !== undefined) out.push(e('s.deletedAt', f.deleted ? 'is not' : 'is', null))
  if (f.changesSince !== undefined) out.push(e('s.updatedAt', '>=', f.changesSince))
  if (f.changesBefore !== undefined) out.push(e('s.updatedAt', '<=', f.changesBefore))
  for (const [column, value] of Object.entries(f.equal)) out.push(value === null ? e(`s.${column}` as 's.id', 'is', null) : e(`s.${column}` as 's.id', '=', value as string))
  for (const { column, text } of f.contains) out.push(e(`s.${column}` as 's.name', 'like', `%${text}%`))
  if (f.locked !== undefined) out.push(e('s.lockedBy', f.locked ? 'is not' : 'is', null))
  if (f.vmStates) out.push(e(vmStateSql, 'in', f.vmStates))
  if (f.states) out.push(e.or(f.states.map(({ vm, tasks, notTasks }) => e.and([
    e(vmStateSql, '=', vm),
    ...(tasks ? [e('s.taskState', 'in', tasks)] : []),
    ...(notTasks ? [e.or([e('s.taskState', 'is', null), e('s.taskState', 'not in', notTasks)])] : []),
  ]))))
  if (f.powers) {
    const some = f.powers.filter((p) => p !== null)
    out.push(e.or([...(some.length > 0 ? [e('i.power', 'in', some)] : []), ...(f.powers.includes(null) ? [e('i.power', 'is', null)] : [])]))
  }
  if (f.tags?.length) out.push(tagged(e, f.tags, true))
  if (f.tagsAny?.length) out.push(tagged(e, f.tagsAny, false))
  if (f.notTags?.length) out.push(e.not(tagged(e, f.notTags, true)))
  if (f.notTagsAny?.length) out.push(e.not(tagged(e, f.notTagsAny, false)))
  return out
}

/** A page of at most `limit` after the server `after`. Sorts by `sort`, and by id the way the last key goes. */
export async function list(tx: ComputeTx, filter: ServerFilter, sort: Sort[], limit: number, after?: Server): Promise<Server[]> {
  const keys: Sort[] = [...sort, { column: 'id', down: sort.at(-1)?.down ?? true }]
  let query = servers(tx).where((e) => e.and(conditions(e as unknown as Build, filter)))
  if (after) query = query.where((e) => e.or(keys.map((key, n) => e.and([
    ...keys.slice(0, n).map((k) => sql<SqlBool>`${sortable(k.column)} = ${valueOf(after, k.column)}`),
    sql<SqlBool>`${sortable(key.column)} ${sql.raw(key.down ? '<' : '>')} ${valueOf(after, key.column)}`,
  ]))))
  for (const key of keys) query = query.orderBy(sortable(key.column) as Expression<string>, key.down ? 'desc' : 'asc')
  return await query.limit(limit).execute() as Server[]
}

/** What belongs to many servers, in one query each. */
export interface Details {
  metadata: Map<string, Record<string, string>>
  tags: Map<string, string[]>
  faults: Map<string, ServerFaultRow>
  userData: Map<string, string>
}

export async function details(tx: ComputeTx, of: Server[], want: { tags: boolean, userData: boolean }): Promise<Details> {
  const out: Details = { metadata: new Map(), tags: new Map(), faults: new Map(), userData: new Map() }
  if (of.length === 0) return out
  const ids = of.map((s) => s.id), failed = of.filter((s) => s.vmState === 'error' || s.deletedAt !== null).map((s) => s.id)
  const pairs = new Map<string, [string, string][]>()
  for (const { serverId, key, value } of await tx.db.selectFrom('computeServerMetadata').selectAll().where('serverId', 'in', ids).orderBy('key').execute()) {
    const list = pairs.get(serverId)
    if (list) list.push([key, value]); else pairs.set(serverId, [[key, value]])
  }
  for (const [id, list] of pairs) out.metadata.set(id, Object.fromEntries(list))
  if (want.tags) for (const { serverId, tag } of await tx.db.selectFrom('computeServerTags').selectAll().where('serverId', 'in', ids).orderBy('tag').execute()) {
    const list = out.tags.get(serverId)
    if (list) list.push(tag); else out.tags.set(serverId, [tag])
  }
  if (failed.length > 0) for (const fault of await tx.db.selectFrom('computeServerFaults').selectAll().where('serverId', 'in', failed).execute()) out.faults.set(fault.serverId, fault)
  if (want.userData) for (const { serverId, userData } of await tx.db.selectFrom('computeServerUserData').selectAll().where('serverId', 'in', ids).execute()) out.userData.set(serverId, userData)
  return out
}

export const groupOf = async (tx: ComputeTx, serverId: string): Promise<string | undefined> =>
  (await tx.db.selectFrom('computeServerGroupMembers').select('groupId').where('serverId', '=', serverId).executeTakeFirst())?.groupId

export interface NewServer { row: ServerRow, metadata: Record<string, string>, tags: string[], userData?: string, files?: { path: string, contents: string }[], groupId?: string }

export async function add(tx: ComputeTx, made: NewServer[]): Promise<void> {
  await insert(tx, 'computeServers', made.map((m) => ({ ...m.row })))
  const some = async (table: string, rows: Record<string, unknown>[]): Promise<void> => { if (rows.length > 0) await insert(tx, table, rows) }
  await some('computeServerMetadata', made.flatMap((m) => Object.entries(m.metadata).map(([key, value]) => ({ serverId: m.row.id, key, value }))))
  await some('computeServerTags', made.flatMap((m) => m.tags.map((tag) => ({ serverId: m.row.id, tag }))))
  await some('computeServerUserData', made.flatMap((m) => (m.userData === undefined ? [] : [{ serverId: m.row.id, userData: m.userData }])))
  await some('computeServerFiles', made.flatMap((m) => (m.files === undefined || m.files.length === 0 ? [] : [{ serverId: m.row.id, files: JSON.stringify(m.files) }])))
  await some('computeServerGroupMembers', made.flatMap((m) => (m.groupId === undefined ? [] : [{ groupId: m.groupId, serverId: m.row.id }])))
}

/** Changes what is the user's to change; no state, so nothing is compared. False when the server is gone. */
export const amend = async (tx: ComputeTx, id: string, set: Partial<Omit<ServerRow, 'vmState' | 'taskState' | 'generation'>>): Promise<boolean> =>
  await change(tx, 'computeServers', { id, deletedAt: null }, { ...set, updatedAt: now() }) > 0

export const metadataOf = async (tx: ComputeTx, serverId: string): Promise<Record<string, string>> =>
  Object.fromEntries((await tx.db.selectFrom('computeServerMetadata').select(['key', 'value']).where('serverId', '=', serverId).orderBy('key').execute()).map((r) => [r.key, r.value]))

/** Sets the given keys; with `only`, takes every other away. */
export async function setMetadata(tx: ComputeTx, serverId: string, given: Record<string, string>, only: boolean): Promise<void> {
  const keys = Object.keys(given), removal = tx.db.deleteFrom('computeServerMetadata').where('serverId', '=', serverId)
  if (only) await removal.execute()
  else if (keys.length > 0) await removal.where('key', 'in', keys).execute()
  if (keys.length > 0) await insert(tx, 'computeServerMetadata', keys.map((key) => ({ serverId, key, value: given[key] })))
}
export const removeMetadata = async (tx: ComputeTx, serverId: string, key: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeServerMetadata').where('serverId', '=', serverId).where('key', '=', key).executeTakeFirst()).numDeletedRows > 0n

export const tagsOf = async (tx: ComputeTx, serverId: string): Promise<string[]> =>
  (await tx.db.selectFrom('computeServerTags').select('tag').where('serverId', '=', serverId).orderBy('tag').execute()).map((r) => r.tag)

/** Others who would change the server, its tags or its metadata wait for the end of this transaction; lists are read and written back whole. */
export async function lock(tx: ComputeTx, serverId: string): Promise<void> {
  await tx.db.updateTable('computeServers').set((eb) => ({ generation: eb.ref('generation') })).where('id', '=', serverId).execute()
}

export async function setTags(tx: ComputeTx, serverId: string, tags: string[]): Promise<void> {
  await lock(tx, serverId)
  await tx.db.deleteFrom('computeServerTags').where('serverId', '=', serverId).execute()
  if (tags.length > 0) await insert(tx, 'computeServerTags', [...new Set(tags)].map((tag) => ({ serverId, tag })))
}
export const removeTag = async (tx: ComputeTx, serverId: string, tag: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeServerTags').where('serverId', '=', serverId).where('tag', '=', tag).executeTakeFirst()).numDeletedRows > 0n

/** The device tags of a server's cards, by port. */
export const tagsOfNics = async (tx: ComputeTx, serverId: string): Promise<Map<string, string | null>> =>
  new Map((await tx.db.selectFrom('computeServerNics').select(['portId', 'tag']).where('serverId', '=', serverId).execute()).map((r) => [r.portId, r.tag]))

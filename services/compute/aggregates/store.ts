// Rows of host aggregates. An availability zone is a key of their metadata.
import { conflict } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { insert, insertIfAbsent, isDuplicate, change } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { AggregateRow } from '../schema.ts'

export interface Aggregate extends AggregateRow { hosts: string[], metadata: Record<string, string> }
export const zoneKey = 'availability_zone'
const nameTaken = (name: string): Error => conflict(`Aggregate ${name} already exists.`)

async function whole(tx: ComputeTx, rows: AggregateRow[]): Promise<Aggregate[]> {
  if (rows.length === 0) return []
  const ids = rows.map((r) => r.id)
  const hosts = Map.groupBy(await tx.db.selectFrom('computeAggregateHosts').selectAll().where('aggregateId', 'in', ids).orderBy('host').execute(), (h) => Number(h.aggregateId))
  const metadata = Map.groupBy(await tx.db.selectFrom('computeAggregateMetadata').selectAll().where('aggregateId', 'in', ids).orderBy('key').execute(), (m) => Number(m.aggregateId))
  return rows.map((row) => ({ ...row, id: Number(row.id), hosts: (hosts.get(Number(row.id)) ?? []).map((h) => h.host), metadata: Object.fromEntries((metadata.get(Number(row.id)) ?? []).map((m) => [m.key, m.value])) }))
}

export const list = async (tx: ComputeTx): Promise<Aggregate[]> => whole(tx, await tx.db.selectFrom('computeAggregates').selectAll().orderBy('id').execute())
export async function find(tx: ComputeTx, id: number): Promise<Aggregate | undefined> {
  const row = await tx.db.selectFrom('computeAggregates').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await whole(tx, [row]))[0]
}

export const add = (tx: ComputeTx, row: AggregateRow): Promise<void> => insert(tx, 'computeAggregates', { ...row }, () => nameTaken(row.name))

export async function rename(tx: ComputeTx, id: number, name: string): Promise<void> {
  try { await change(tx, 'computeAggregates', { id }, { name }) } catch (error) { throw isDuplicate(error) ? nameTaken(name) : error }
}

/** A value of null takes the key away. */
export async function setMetadata(tx: ComputeTx, id: number, given: Record<string, string | null>): Promise<void> {
  const keys = Object.keys(given)
  if (keys.length > 0) await tx.db.deleteFrom('computeAggregateMetadata').where('aggregateId', '=', id).where('key', 'in', keys).execute()
  const rows = keys.filter((key) => given[key] !== null).map((key) => ({ aggregateId: id, key, value: given[key] }))
  if (rows.length > 0) await insert(tx, 'computeAggregateMetadata', rows)
  await change(tx, 'computeAggregates', { id }, { updatedAt: now() })
}

export const join = (tx: ComputeTx, id: number, host: string): Promise<boolean> => insertIfAbsent(tx, 'computeAggregateHosts', { aggregateId: id, host })
export const leave = async (tx: ComputeTx, id: number, host: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeAggregateHosts').where('aggregateId', '=', id).where('host', '=', host).executeTakeFirst()).numDeletedRows > 0n
export const leaveAggregates = async (tx: ComputeTx, host: string): Promise<void> => { await tx.db.deleteFrom('computeAggregateHosts').where('host', '=', host).execute() }

export async function remove(tx: ComputeTx, id: number): Promise<void> {
  for (const table of ['computeAggregateHosts', 'computeAggregateMetadata'] as const) await tx.db.deleteFrom(table).where('aggregateId', '=', id).execute()
  await tx.db.deleteFrom('computeAggregates').where('id', '=', id).execute()
}

/** Is any server on one of these hosts? */
export const servesGuests = async (tx: ComputeTx, hosts: string[]): Promise<boolean> =>
  hosts.length > 0 && await tx.db.selectFrom('computeServers').select('id').where('host', 'in', hosts).where('deletedAt', 'is', null).limit(1).executeTakeFirst() !== undefined

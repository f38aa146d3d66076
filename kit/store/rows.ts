// What SQL engines spell differently, and the two moves every service makes: compare-and-set, and counting against a limit.
import { sql } from 'kysely'
import type { Migration } from './migrations.ts'
import type { Tx } from './store.ts'
import { conflict } from '#base/errors.ts'

type Row = Record<string, unknown>

/** True when the error is a broken unique index or primary key, on any engine. */
export function isDuplicate(error: unknown): boolean {
  const e = error as { code?: string, errcode?: number, errno?: number }
  return e?.code === '23505' || e?.errno === 1062 || e?.errcode === 2067 || e?.errcode === 1555
}

/** The list in pieces of at most `size`: engines bound the number of a statement's parameters. */
export const inChunks = <T>(all: readonly T[], size = 200): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_x, i) => all.slice(i * size, i * size + size))
/**
 * Inserts rows, many in few statements. A broken unique index becomes `taken()`, or a Conflict; the transaction can go on after it on every engine,
 * without the rows of the statement that met it.
 */
export async function insert(tx: Tx, table: string, rows: Row | Row[], taken: () => Error = () => conflict(`Duplicate entry in ${table}`)): Promise<void> {
  const all = Array.isArray(rows) ? rows : [rows]
  // 500 parameters a statement stays below every engine's limit.
  const batch = Math.max(1, Math.floor(500 / Math.max(1, Object.keys(all[0] ?? {}).length)))
  for (let i = 0; i < all.length; i += batch) {
    const part = all.slice(i, i + batch)
    if (!await insertedAll(tx, table, part)) throw taken()
  }
}

async function insertedAll(tx: Tx, table: string, rows: Row[]): Promise<boolean> {
  const insertion = tx.db.insertInto(table).values(rows)
  // PostgreSQL gives up a transaction in which a statement failed: there a duplicate must not be an error, or be one of a savepoint.
  if (tx.engine === 'postgres' && rows.length === 1) return Number((await insertion.onConflict((c) => c.doNothing()).executeTakeFirst()).numInsertedOrUpdatedRows ?? 0) === 1
  const savepoint = tx.engine === 'postgres'
  if (savepoint) await sql`SAVEPOINT rows`.execute(tx.db)
  try {
    await insertion.execute()
    if (savepoint) await sql`RELEASE SAVEPOINT rows`.execute(tx.db)
    return true
  } catch (error) {
    if (!isDuplicate(error)) throw error
    if (savepoint) await sql`ROLLBACK TO SAVEPOINT rows`.execute(tx.db)
    return false
  }
}

/** Inserts unless a row with the same key, or another unique value of it, stands already; answers whether it did. */
export async function insertIfAbsent(tx: Tx, table: string, row: Row): Promise<boolean> {
  return insertedAll(tx, table, [row])
}

/** Writes the row whether or not its key stands already. */
export async function put(tx: Tx, table: string, key: Row, rest: Row): Promise<void> {
  const keyOnly = Object.keys(rest).length === 0
  // Changing first: a refused insertion leaves a lock in MariaDB that makes two of us a deadlock.
  if (!keyOnly && await change(tx, table, key, rest) > 0) return
  if (await insertIfAbsent(tx, table, { ...key, ...rest }) || keyOnly) return
  if (await change(tx, table, key, rest) === 0) throw conflict(`Duplicate entry in ${table}`)
}

/** Changes the rows that still are as `from` says (undefined entries do not count; an array means any of). Answers how many. */
export async function change(tx: Tx, table: string, from: Row, set: Row): Promise<number> {
  let update = tx.db.updateTable(table).set(set)
  for (const [column, value] of Object.entries(from)) {
    if (value === undefined) continue
    if (Array.isArray(value)) update = update.where(column, 'in', value)
    else update = value === null ? update.where(column, 'is', null) : update.where(column, '=', value)
  }
  return Number((await update.executeTakeFirst()).numUpdatedRows)
}

/** Writes what differs between a row as it was read and as it shall be. Somebody else's change since then, or a broken unique index, is a Conflict. */
export async function replace(tx: Tx, table: string, was: object, shall: object, taken: () => Error = () => conflict(`Duplicate entry in ${table}`)): Promise<void> {
  const old = was as Row, set = Object.fromEntries(Object.entries(shall).filter(([column, value]) => old[column] !== value))
  if (Object.keys(set).length === 0) return
  try {
    if (await change(tx, table, old, set) === 0) throw conflict('The resource was changed by somebody else meanwhile. Try again.')
  } catch (error) {
    throw isDuplicate(error) ? taken() : error
  }
}

/** Adds to a named sum; false (and nothing changed) when it would pass `limit` (-1: none) while growing. Sums never fall below zero. */
export async function count(tx: Tx, name: string, by: number, limit = -1): Promise<boolean> {
  const limited = by > 0 && limit >= 0
  for (let attempt = 1; ; attempt++) {
    let update = tx.db.updateTable('kitCounters')
      .set({ value: by < 0 ? sql`CASE WHEN value + ${by} < 0 THEN 0 ELSE value + ${by} END` : sql`value + ${by}` })
      .where('name', '=', name)
    if (limited) update = update.where(sql`value + ${by}`, '<=', limit)
    if (Number((await update.executeTakeFirst()).numUpdatedRows) > 0) return true
    // Not there, or too large? Looking locks nothing; a refused insertion would, and two of us would be a deadlock in MariaDB.
    const there = await tx.db.selectFrom('kitCounters').select('value').where('name', '=', name).executeTakeFirst()
    if (there && limited && Number(there.value) + by > limit) return false
    if (attempt >= 10) throw conflict('The same quantity is being changed by too many.')
    if (!there) await insertIfAbsent(tx, 'kitCounters', { name, value: 0 })
  }
}

/** The sums whose names start with `prefix`, by name without it. */
export async function counts(tx: Tx, prefix: string): Promise<Map<string, number>> {
  const rows = await tx.db.selectFrom('kitCounters').select(['name', 'value']).where('name', '>=', prefix).where('name', '<', `${prefix}\u{10ffff}`).execute()
  return new Map(rows.map((r) => [String(r.name).slice(prefix.length), Number(r.value)]))
}

/** Tables of this file. */
export const storeMigrations: Migration[] = [
  { id: '0001-counters', changes: [{ createTable: 'kitCounters', as: { columns: { name: 'text', value: 'int' }, primaryKey: ['name'] } }] },
]

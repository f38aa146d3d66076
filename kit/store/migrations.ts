// Append-only lists of schema changes. Each statement is "if it is not there yet", so that an interrupted migration is simply run again
// (MariaDB's DDL does not roll back).
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Engine, Store, Tx } from './store.ts'
import { snake } from './names.ts'
import { insertIfAbsent } from './rows.ts'
import { unavailable } from '#base/errors.ts'
import { now } from '#base/time.ts'

/** id: 64 characters; text: 255; long: up to megabytes, not indexed; at: an ISO instant; bool: 0/1. A `?` allows NULL. */
export type ColumnKind = 'id' | 'text' | 'long' | 'int' | 'real' | 'bool' | 'at'
export type Column = ColumnKind | `${ColumnKind}?`

/** A table as the first migration makes it; `unique` and `indexes` are lists of columns. */
export interface TableDefinition {
  columns: Record<string, Column>
  primaryKey: string[]
  unique?: string[][]
  indexes?: string[][]
}

/** One step; a table or an index is named by its camelCase names. */
export type Change =
  | { createTable: string, as: TableDefinition }
  | { addColumn: string, name: string, kind: Column, default?: string | number }
  | { createIndex: string, columns: string[], unique?: boolean }
  | { dropIndex: string, columns: string[] }
  | { run: (tx: Tx) => Promise<void> }

/** A step of an area's history. Its id is never used again, and what has been released is never changed. */
export interface Migration { id: string, changes: Change[] }

const kinds: Record<Engine, Record<ColumnKind, string>> = {
  sqlite: { id: 'TEXT', text: 'TEXT', long: 'TEXT', int: 'INTEGER', real: 'REAL', bool: 'INTEGER', at: 'TEXT' },
  postgres: {
    id: 'VARCHAR(64) COLLATE "C"', text: 'VARCHAR(255) COLLATE "C"', long: 'TEXT COLLATE "C"', int: 'BIGINT', real: 'DOUBLE PRECISION', bool: 'SMALLINT',
    at: 'VARCHAR(32) COLLATE "C"',
  },
  mysql: { id: 'VARCHAR(64)', text: 'VARCHAR(255)', long: 'LONGTEXT', int: 'BIGINT', real: 'DOUBLE', bool: 'TINYINT', at: 'VARCHAR(32)' },
}

const quote = (engine: Engine, name: string): string => engine === 'mysql' ? `\`${snake(name)}\`` : `"${snake(name)}"`
const list = (engine: Engine, names: string[]): string => names.map((n) => quote(engine, n)).join(', ')

function columnSql(engine: Engine, name: string, column: Column, fallback?: string | number): string {
  const nullable = column.endsWith('?')
  const kind = (nullable ? column.slice(0, -1) : column) as ColumnKind
  const value = fallback === undefined ? '' : ` DEFAULT ${typeof fallback === 'number' ? fallback : `'${fallback.replaceAll("'", "''")}'`}`
  return `${quote(engine, name)} ${kinds[engine][kind]}${nullable ? '' : ' NOT NULL'}${value}`
}

/** At most 60 characters, the shortest limit; a longer name is cut and told apart by its digest. */
function indexName(table: string, columns: string[], unique: boolean): string {
  const name = `${unique ? 'ux' : 'ix'}_${snake(table)}_${columns.map(snake).join('_')}`
  return name.length <= 60 ? name : `${name.slice(0, 51)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

async function exec(tx: Tx, statement: string): Promise<void> { await sql.raw(statement).execute(tx.db) }

async function createIndex(tx: Tx, table: string, columns: string[], unique: boolean): Promise<void> {
  const name = quote(tx.engine, indexName(table, columns, unique))
  await exec(tx, `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${name} ON ${quote(tx.engine, table)} (${list(tx.engine, columns)})`)
}

async function hasColumn(tx: Tx, table: string, name: string): Promise<boolean> {
  const schema = tx.engine === 'mysql' ? sql`DATABASE()` : sql`current_schema()`
  const found = tx.engine === 'sqlite'
    ? await sql`SELECT 1 AS one FROM pragma_table_info(${snake(table)}) WHERE name = ${snake(name)}`.execute(tx.db)
    : await sql`SELECT 1 AS one FROM information_schema.columns
        WHERE table_name = ${snake(table)} AND column_name = ${snake(name)} AND table_schema = ${schema}`.execute(tx.db)
  return found.rows.length > 0
}

async function apply(tx: Tx, change: Change): Promise<void> {
  if ('run' in change) {
    // A schema change before it has ended MariaDB's transaction: from here on all or nothing again.
    if (tx.engine === 'mysql') await exec(tx, 'START TRANSACTION')
    return change.run(tx)
  }
  if ('createTable' in change) {
    const { createTable: table, as: definition } = change
    const columns = Object.entries(definition.columns).map(([name, column]) => columnSql(tx.engine, name, column))
    const tails: Record<Engine, string> = {
      sqlite: ' WITHOUT ROWID', postgres: '',
      mysql: ' CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin ENGINE=InnoDB ROW_FORMAT=DYNAMIC',
    }
    await exec(tx, `CREATE TABLE IF NOT EXISTS ${quote(tx.engine, table)} (${columns.join(', ')}, PRIMARY KEY (${list(tx.engine, definition.primaryKey)}))${tails[tx.engine]}`)
    for (const columns of definition.unique ?? []) await createIndex(tx, table, columns, true)
    for (const columns of definition.indexes ?? []) await createIndex(tx, table, columns, false)
  } else if ('addColumn' in change) {
    if (!await hasColumn(tx, change.addColumn, change.name)) {
      await exec(tx, `ALTER TABLE ${quote(tx.engine, change.addColumn)} ADD COLUMN ${columnSql(tx.engine, change.name, change.kind, change.default)}`)
    }
  } else if ('createIndex' in change) {
    await createIndex(tx, change.createIndex, change.columns, change.unique ?? false)
  } else {
    for (const unique of [true, false]) {
      const name = quote(tx.engine, indexName(change.dropIndex, change.columns, unique))
      await exec(tx, `DROP INDEX IF EXISTS ${name}${tx.engine === 'mysql' ? ` ON ${quote(tx.engine, change.dropIndex)}` : ''}`)
    }
  }
}

/** One process migrates at a time. PostgreSQL's lock ends with the transaction, MariaDB's outlives the commits that DDL brings along. */
async function alone(tx: Tx, work: () => Promise<void>): Promise<void> {
  if (tx.engine === 'postgres') await sql`SELECT pg_advisory_xact_lock(hashtext('pileus-migrations'))`.execute(tx.db)
  if (tx.engine !== 'mysql') return work()
  const lock = sql`CONCAT('pileus-migrations-', SHA1(DATABASE()))`
  const { rows } = await sql<{ got: number | null }>`SELECT GET_LOCK(${lock}, 60) AS got`.execute(tx.db)
  if (rows[0]?.got !== 1) throw unavailable('Another process has been changing the tables for a minute.')
  await work()
  // Before the next one looks. After an error the lock goes with the rollback, see mysql.ts.
  await exec(tx, 'COMMIT')
  await sql`SELECT RELEASE_LOCK(${lock})`.execute(tx.db)
}

/**
 * Brings each area's tables (a service's, or one of kit's own) up to date. Safe to run again, and by several processes at once. A `run` change must
 * itself bear being run again when it shares a migration with changes of the schema.
 */
export async function migrate(store: Store, areas: { area: string, migrations: Migration[] }[]): Promise<void> {
  await store.tx((tx) => alone(tx, () => apply(tx, { createTable: 'kitMigrations', as: { columns: { area: 'text', id: 'text', doneAt: 'at' }, primaryKey: ['area', 'id'] } })))
  const done = new Set((await store.read((tx) => tx.db.selectFrom('kitMigrations').select(['area', 'id']).execute())).map((r) => `${r.area}/${r.id}`))
  for (const { area, migrations } of areas) {
    for (const migration of migrations) {
      if (done.has(`${area}/${migration.id}`)) continue
      await store.tx((tx) => alone(tx, async () => {
        // Another process may have done it while we waited.
        if (await tx.db.selectFrom('kitMigrations').select('id').where('area', '=', area).where('id', '=', migration.id).executeTakeFirst()) return
        for (const change of migration.changes) await apply(tx, change)
        await insertIfAbsent(tx, 'kitMigrations', { area, id: migration.id, doneAt: now() })
      }))
    }
  }
}

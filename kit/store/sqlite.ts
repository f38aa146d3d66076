// The embedded engine: node:sqlite in WAL mode, one handle that writes and one that reads what is committed.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely'
import type { Store, Tx, TxOptions } from './store.ts'
import { camel, snake } from './names.ts'

class Compiler extends SqliteQueryCompiler {
  protected override sanitizeIdentifier(identifier: string): string { return super.sanitizeIdentifier(snake(identifier)) }
}

/** Prepared statements are kept: preparing costs more than running. */
class Connection implements DatabaseConnection {
  readonly #handle: DatabaseSync
  readonly #count: () => void
  readonly #prepared = new Map<string, { statement: StatementSync, names: string[] }>()

  constructor(handle: DatabaseSync, count: () => void) { this.#handle = handle; this.#count = count }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.#count()
    let known = this.#prepared.get(query.sql)
    if (!known) {
      if (this.#prepared.size >= 1000) this.#prepared.clear()
      const statement = this.#handle.prepare(query.sql)
      const names = statement.columns().map((c) => camel(c.name))
      if (names.length > 0) statement.setReturnArrays(true)
      this.#prepared.set(query.sql, known = { statement, names })
    }
    const parameters = query.parameters as SQLInputValue[]
    const { statement, names } = known
    if (names.length === 0) {
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    }
    const rows = (statement.all(...parameters) as unknown as unknown[][]).map((values) => {
      const row: Record<string, unknown> = {}
      for (let i = 0; i < names.length; i++) row[names[i]!] = values[i]
      return row
    })
    return { rows: rows as R[] }
  }
  // eslint-disable-next-line require-yield
  async *streamQuery(): AsyncIterableIterator<never> { throw new Error('lists are paged here, not streamed') }
}

const kyselyOn = (connection: Connection): Kysely<any> => new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: (): Driver => ({
      init: async () => {}, acquireConnection: async () => connection, releaseConnection: async () => {}, destroy: async () => {},
      beginTransaction: async () => {}, commitTransaction: async () => {}, rollbackTransaction: async () => {},
    }),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new Compiler(),
  },
})

/** `volatile` gives up safety against power loss: tests only. */
export function openSqlite(config: { file: string, volatile?: boolean }): Store {
  if (!existsSync(config.file)) { writeFileSync(config.file, ''); chmodSync(config.file, 0o600) }
  const open = (readOnly: boolean): DatabaseSync => {
    const handle = new DatabaseSync(config.file, { readOnly, timeout: 10_000 })
    handle.exec(`PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY;`)
    return handle
  }
  const writer = open(false)
  writer.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${config.volatile ? 'OFF' : 'NORMAL'};`)
  const reader = open(true)
  let queries = 0
  const count = (): void => { queries++ }
  const write = kyselyOn(new Connection(writer, count)), read = kyselyOn(new Connection(reader, count))
  // One writer at a time: a transaction's statements must not mix with another's.
  let last: Promise<unknown> = Promise.resolve()

  async function transact<T>(work: (tx: Tx) => Promise<T>, options: TxOptions = {}): Promise<T> {
    const wakes: (() => void)[] = []
    if (options.durable && !config.volatile) writer.exec('PRAGMA synchronous = FULL')
    writer.exec('BEGIN IMMEDIATE')
    let result: T
    try {
      result = await work({ db: write, engine: 'sqlite', afterCommit: (wake) => wakes.push(wake) })
      writer.exec('COMMIT')
    } catch (error) {
      // A full disk can already have rolled back.
      if (writer.isTransaction) writer.exec('ROLLBACK')
      throw error
    } finally {
      if (options.durable && !config.volatile) writer.exec('PRAGMA synchronous = NORMAL')
    }
    for (const wake of wakes) wake()
    return result
  }

  const store: Store = {
    engine: 'sqlite',
    get queries() { return queries },
    read: (work) => work({ db: read, engine: 'sqlite', afterCommit: () => { throw new Error('a read commits nothing') } }),
    tx(work, options) {
      const mine = last.then(() => transact(work, options))
      last = mine.catch(() => {})
      return mine
    },
    as: () => store,
    async close() { await last; reader.close(); writer.close() },
  }
  return store
}

// The embedded engine: node:sqlite in WAL mode, one handle that writes and one that reads what is committed.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, type CompiledQuery, type DatabaseConnection, type QueryResult } from 'kysely'
import { unavailable } from '#base/errors.ts'
import { databaseAway, type Store, type Tx, type TxOptions } from './store.ts'
import { asObjects, camelNames, kyselyOn, noStream, runWakes } from './engine.ts'
import { snake } from './names.ts'

class Compiler extends SqliteQueryCompiler {
  protected override sanitizeIdentifier(identifier: string): string { return super.sanitizeIdentifier(snake(identifier)) }
}

/** Prepared statements are kept: preparing costs more than running. */
class Connection implements DatabaseConnection {
  readonly #handle: DatabaseSync
  readonly #sent: (sql: string) => void
  readonly #prepared = new Map<string, { statement: StatementSync, names: string[] }>()
  readonly streamQuery = noStream

  constructor(handle: DatabaseSync, sent: (sql: string) => void) { this.#handle = handle; this.#sent = sent }

  /** Their columns may have changed. */
  forget(): void { this.#prepared.clear() }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.#sent(query.sql)
    let known = this.#prepared.get(query.sql)
    if (!known) {
      if (this.#prepared.size >= 1000) this.#prepared.clear()
      const statement = this.#handle.prepare(query.sql)
      const names = camelNames(statement.columns())
      if (names.length > 0) statement.setReturnArrays(true)
      this.#prepared.set(query.sql, known = { statement, names })
    }
    const parameters = query.parameters as SQLInputValue[]
    const { statement, names } = known
    if (names.length > 0) return { rows: asObjects<R>(names, statement.all(...parameters) as unknown as unknown[][]) }
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) }
  }
}

const parts = { createAdapter: () => new SqliteAdapter(), createIntrospector: (db: any) => new SqliteIntrospector(db), createQueryCompiler: () => new Compiler() }

/** How long other processes' transactions are waited for. */
const patienceMs = 10_000
/** Another process writes. */
const isBusy = (error: unknown): boolean => [5, 6].includes(codeOf(error))
/** The disk is full, or fails: for those who wait it is as if the database were away. */
const isDisk = (error: unknown): boolean => [10, 13].includes(codeOf(error))
const codeOf = (error: unknown): number => ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff

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
  // From here on another process' transaction is waited for without holding up this one: see `begin`.
  writer.exec('PRAGMA busy_timeout = 20')
  let queries = 0
  const sent = (sql: string): void => {
    queries++
    if (/^\s*(create|alter|drop)\b/i.test(sql)) altered()
  }
  let schemaChanged = false
  const altered = (): void => {
    schemaChanged = true
    for (const connection of connections) connection.forget()
  }
  const connections = [new Connection(writer, sent), new Connection(reader, sent)] as const
  const write = kyselyOn(connections[0], parts), read = kyselyOn(connections[1], parts)
  // One writer at a time: a transaction's statements must not mix with another's.
  let last: Promise<unknown> = Promise.resolve()

  async function begin(): Promise<void> {
    for (const endAt = Date.now() + patienceMs; ;) {
      try {
        return writer.exec('BEGIN IMMEDIATE')
      } catch (error) {
        if (!isBusy(error)) throw error
        if (Date.now() >= endAt) throw unavailable('The database is too busy.', { cause: error })
        await delay(5)
      }
    }
  }

  async function transact<T>(work: (tx: Tx) => Promise<T>, options: TxOptions = {}): Promise<T> {
    const wakes: (() => void)[] = []
    const durable = options.durable && !config.volatile
    if (durable) writer.exec('PRAGMA synchronous = FULL')
    let result: T
    try {
      await begin()
      result = await work({ db: write, engine: 'sqlite', afterCommit: (wake) => wakes.push(wake) })
      writer.exec('COMMIT')
    } catch (error) {
      // A full disk can already have rolled back.
      if (writer.isTransaction) writer.exec('ROLLBACK')
      throw isDisk(error) ? databaseAway('The database cannot be written: its disk is full or fails.', error) : error
    } finally {
      if (durable) writer.exec('PRAGMA synchronous = NORMAL')
      if (schemaChanged) altered()
      schemaChanged = false
    }
    runWakes(wakes)
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

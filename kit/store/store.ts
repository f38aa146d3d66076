// The one door to the database. Services see `Store` and `Tx`; which engine stands behind is nobody else's business.
import type { Kysely } from 'kysely'
import { isFault, unavailable, type Fault } from '#base/errors.ts'

export type Engine = 'sqlite' | 'postgres' | 'mysql'

/** A 0/1 column: no engine-neutral boolean exists. */
export type Flag = 0 | 1
/** A truth for such a column. */
export const flag = (value: boolean): Flag => (value ? 1 : 0)

/**
 * Proof that the holder is inside `read` or `tx`. Names are camelCase in code and snake_case in SQL; the door translates.
 * Nothing but the database may be awaited while holding one: `tx` may run its work again.
 */
export interface Tx<DB = any> {
  readonly db: Kysely<DB>
  readonly engine: Engine
  /** Runs once after the outermost commit; for waking somebody, never for work that must not be lost. */
  afterCommit(wake: () => void): void
}

export interface TxOptions {
  /** Survives the loss of power, not only of the process: journals, allocations, keys. */
  durable?: boolean
}

/** The database, as one service sees it. */
export interface Store<DB = any> {
  readonly engine: Engine
  /** Reads what is committed. `work` must not write. */
  read<T>(work: (tx: Tx<DB>) => Promise<T>): Promise<T>
  /** All of `work` or nothing. A lost race (deadlock, certification) runs it again. */
  tx<T>(work: (tx: Tx<DB>) => Promise<T>, options?: TxOptions): Promise<T>
  /** The same database seen through another service's tables. */
  as<Other>(): Store<Other>
  /** Statements sent so far: tests assert that lists cost a constant number of them. */
  readonly queries: number
  close(): Promise<void>
}

const awayType = 'DatabaseUnavailable'
/** The database, or the way to it, is gone for the moment. */
export const databaseAway = (message: string, cause: unknown): Fault => unavailable(message, { type: awayType, cause })
/** It says nothing about the work that met it: who may do the work again waits and does so. Known also behind the bus and behind other services. */
export const isDatabaseAway = (error: unknown): boolean => isFault(error, 'unavailable') && error.type === awayType

/** Where the data is: a SQLite file, or the URL of a PostgreSQL or MariaDB server. */
export type StoreConfig = { engine: 'sqlite', file: string, volatile?: boolean } | { engine: 'postgres' | 'mysql', url: string, poolSize?: number }

/** Opens the database. Code of engines that are not configured is not loaded. */
export async function openStore(config: StoreConfig): Promise<Store> {
  if (config.engine === 'sqlite') return (await import('./sqlite.ts')).openSqlite(config)
  if (config.engine === 'postgres') return (await import('./postgres.ts')).openPostgres(config)
  return (await import('./mysql.ts')).openMysql(config)
}

/** `sqlite:FILE`, `postgres://…`, `mysql://…` (also mariadb://) as an option value. */
export function parseStoreUrl(url: string): StoreConfig {
  if (url.startsWith('sqlite:')) return { engine: 'sqlite', file: url.slice(7) }
  if (/^postgres(ql)?:\/\//.test(url)) return { engine: 'postgres', url }
  if (/^(mysql|mariadb):\/\//.test(url)) return { engine: 'mysql', url: url.replace(/^mariadb:/, 'mysql:') }
  throw new Error(`the database must be given as sqlite:FILE, postgres://USER:PASSWORD@HOST/NAME or mysql://USER:PASSWORD@HOST/NAME`)
}

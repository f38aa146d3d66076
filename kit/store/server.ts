// A store on a database server: connections from a pool, READ COMMITTED, and work that is run again when it lost a race or its connection.
import type { CompiledQuery, DatabaseConnection, Kysely, QueryResult } from 'kysely'
import { badRequest, unavailable } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { type DialectParts, kyselyOn, noStream, runWakes } from './engine.ts'
import { databaseAway, type Store } from './store.ts'

/**
 * What an error of the server means. 'again': it undid the transaction for another's sake. 'lost': the connection or the server is gone.
 * 'tooLong', 'notText': a value the server cannot hold.
 */
export type Meaning = 'again' | 'lost' | 'tooLong' | 'notText' | undefined

/** One connection of the pool, as the query builder sees it. */
export abstract class ServerConnection implements DatabaseConnection {
  /** The error that ended the transaction, whatever the work made of it: nothing may follow, least of all a commit. */
  doomed: unknown
  /** The last statement's error: PostgreSQL refuses a commit after it. */
  failed: unknown
  /** Not fit for the pool any more. */
  broken = false
  sent = 0
  readonly streamQuery = noStream

  protected abstract send(query: CompiledQuery): Promise<QueryResult<any>>
  abstract meaning(error: unknown): Meaning
  abstract begin(): Promise<void>
  /** Throws when the server did not commit. */
  abstract commit(): Promise<void>
  abstract rollback(): Promise<void>
  /** Back to the pool, or out of it. */
  abstract release(): void

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.doomed !== undefined) throw this.doomed
    this.sent++
    try {
      return await this.send(query)
    } catch (error) {
      this.failed = error
      const meaning = this.meaning(error)
      if (meaning === 'again' || meaning === 'lost') this.doomed = error
      if (meaning === 'lost') this.broken = true
      throw error
    }
  }
}

/** What PostgreSQL and MariaDB each do in their own way. */
export interface Server {
  readonly engine: 'postgres' | 'mysql'
  readonly parts: DialectParts
  /** A connection, new or used, in autocommit. */
  acquire(): Promise<ServerConnection>
  meaning(error: unknown): Meaning
  close(): Promise<void>
}

/** About three seconds in all: a restart of the server, or many who want the same row. */
const patience = { firstMs: 5, maxMs: 400, attempts: 15 }

/** The Store over a server: connections from its pool, and lost races run again with patience. */
export function serverStore(server: Server): Store {
  const builders = new WeakMap<ServerConnection, Kysely<any>>()
  let queries = 0
  const builder = (connection: ServerConnection): Kysely<any> => {
    let known = builders.get(connection)
    if (!known) builders.set(connection, known = kyselyOn(connection, server.parts))
    return known
  }

  /** Marks what must not be run again: nobody knows whether it was committed. */
  class Unknown extends Error {}
  const again = (error: unknown): boolean => {
    const meaning = server.meaning(error)
    return meaning === 'again' || meaning === 'lost'
  }

  function asSeenOutside(error: unknown): unknown {
    if (error instanceof Unknown) return databaseAway('The connection to the database broke in the middle of a change.', error.cause)
    const meaning = server.meaning(error)
    if (meaning === 'again') return unavailable('The database is too busy.', { cause: error })
    if (meaning === 'lost') return databaseAway('The database cannot be reached, or has no room.', error)
    if (meaning === 'tooLong') return badRequest('A value is too long.', { cause: error })
    if (meaning === 'notText') return badRequest('A text contains characters that cannot be kept.', { cause: error })
    return error
  }

  async function once<T>(work: (connection: ServerConnection) => Promise<T>): Promise<T> {
    const connection = await server.acquire()
    connection.doomed = connection.failed = undefined
    const before = connection.sent
    try {
      return await work(connection)
    } catch (error) {
      // The work may have dressed up what really happened.
      throw error instanceof Unknown ? error : connection.doomed ?? error
    } finally {
      queries += connection.sent - before
      connection.release()
    }
  }
  const patiently = <T>(work: () => Promise<T>): Promise<T> => retry(work, patience, again).catch((error: unknown) => { throw asSeenOutside(error) })

  const store: Store = {
    engine: server.engine,
    get queries() { return queries },
    read: (work) => patiently(() => once((connection) =>
      work({ db: builder(connection), engine: server.engine, afterCommit: () => { throw new Error('a read commits nothing') } }))),
    // Durability is the server's default; `durable` asks for nothing more.
    async tx(work) {
      let wakes: (() => void)[] = []
      const result = await patiently(() => once(async (connection) => {
        const mine: (() => void)[] = wakes = []
        let committing = false
        try {
          await connection.begin()
          const value = await work({ db: builder(connection), engine: server.engine, afterCommit: (wake) => mine.push(wake) })
          if (connection.doomed !== undefined) throw connection.doomed
          committing = true
          await connection.commit()
          return value
        } catch (error) {
          if (connection.meaning(error) === 'lost') connection.broken = true
          if (committing && connection.broken) throw new Unknown('nobody knows whether it was committed', { cause: error })
          if (!connection.broken) await connection.rollback().catch(() => { connection.broken = true })
          throw error
        }
      }))
      runWakes(wakes)
      return result
    },
    as: () => store,
    close: () => server.close(),
  }
  return store
}

// MariaDB (alone or as a Galera cluster) by mysql2. Loaded only where it is configured.
import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, type CompiledQuery, type QueryResult } from 'kysely'
import mysql, { type FieldPacket, type PoolConnection, type ResultSetHeader } from 'mysql2'
import { explain } from '#base/errors.ts'
import { asObjects, camelNames } from './engine.ts'
import { snake } from './names.ts'
import { type Meaning, type Server, ServerConnection, serverStore } from './server.ts'
import type { Store } from './store.ts'

class Compiler extends MysqlQueryCompiler {
  protected override sanitizeIdentifier(identifier: string): string { return super.sanitizeIdentifier(snake(identifier)) }
}

/** Deadlock (also Galera's failed certification, at COMMIT), lock wait timeout, record changed since it was read. */
const again = [1213, 1205, 1020]
/** Disk or table full. Galera: this node is not part of the cluster just now. Shutdown, killed, too many connections. */
const lost = [1021, 1114, 1047, 1053, 1927, 1040]
function meaning(error: unknown): Meaning {
  const { errno = 0, code = '', fatal = false } = error as { errno?: number, code?: string, fatal?: boolean }
  if (again.includes(errno)) return 'again'
  if (lost.includes(errno) || fatal || /^(PROTOCOL_|ECONN|EPIPE|ETIMEDOUT|ENOENT|EHOST|ENET)/.test(code)) return 'lost'
  if (errno === 1406) return 'tooLong'
  if (errno === 1366 || errno === 1300) return 'notText'
  return undefined
}

/**
 * Strict, so that nothing is cut or bent silently. UTC. `nopad`: other collations take "a" and "a " for the same. Reading what is committed, as the
 * other engines do. A row's lock is waited for ten seconds, a table's for thirty.
 */
const session = `SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin, SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  SESSION time_zone = '+00:00', SESSION tx_isolation = 'READ-COMMITTED', SESSION innodb_lock_wait_timeout = 10, SESSION lock_wait_timeout = 30, SESSION autocommit = 1`

type Answer = { result: ResultSetHeader | unknown[][], fields: FieldPacket[] | undefined }

class Connection extends ServerConnection {
  readonly #connection: PoolConnection
  constructor(connection: PoolConnection) { super(); this.#connection = connection }

  protected override async send(query: CompiledQuery): Promise<QueryResult<any>> {
    const { result, fields } = await this.#ask(query.sql, query.parameters)
    if (!Array.isArray(result)) return { rows: [], numAffectedRows: BigInt(result.affectedRows), insertId: undefined }
    return { rows: asObjects(camelNames(fields ?? []), result) }
  }
  #ask(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, result: unknown, fields: FieldPacket[] | undefined): void => {
        if (error) reject(error)
        else resolve({ result: result as Answer['result'], fields })
      }
      // Not every statement can be prepared; those with parameters can. Integers would be sent as doubles.
      const values = parameters.map((p) => Number.isSafeInteger(p) ? mysql.TypedParameter.BIGINT(p as number) : p)
      if (parameters.length === 0) this.#connection.query({ sql, rowsAsArray: true }, done as never)
      else this.#connection.execute({ sql, rowsAsArray: true, values: values as never }, done as never)
    })
  }
  override meaning(error: unknown): Meaning { return meaning(error) }
  async prepare(): Promise<void> { await this.#ask(session) }
  override async begin(): Promise<void> { await this.#ask('START TRANSACTION') }
  override async commit(): Promise<void> { await this.#ask('COMMIT') }
  override async rollback(): Promise<void> {
    await this.#ask('ROLLBACK')
    // Migrations take a lock that no rollback ends.
    await this.#ask('DO RELEASE_ALL_LOCKS()')
  }
  override release(): void { if (this.broken) this.#connection.destroy(); else this.#connection.release() }
}

/** Connects at once, so that a wrong URL shows at the start. Errors name the server, never the password. */
export async function openMysql(config: { url: string, poolSize?: number }): Promise<Store> {
  const url = URL.parse(config.url)
  if (!url) throw new Error('the MariaDB URL must look like mysql://USER:PASSWORD@HOST:PORT/NAME')
  const socketPath = url.searchParams.get('socketPath')
  const where = `MariaDB at ${socketPath ?? `${url.hostname}:${url.port || 3306}`}`
  const pool = mysql.createPool({
    // FOUND_ROWS: an update counts the rows it matched, changed or not, as on the other engines.
    uri: config.url, connectionLimit: config.poolSize ?? 10, flags: ['+FOUND_ROWS'], charset: 'utf8mb4', timezone: 'Z', decimalNumbers: true, connectTimeout: 10_000,
    enableKeepAlive: true, maxPreparedStatements: 1_000,
  })
  const known = new WeakMap<PoolConnection, Connection>()
  async function acquire(): Promise<Connection> {
    const raw = await new Promise<PoolConnection>((resolve, reject) => pool.getConnection((error, connection) => { if (error) reject(error); else resolve(connection) }))
    let connection = known.get(raw)
    if (connection) return connection
    connection = new Connection(raw)
    try {
      await connection.prepare()
    } catch (error) {
      raw.destroy()
      throw error
    }
    known.set(raw, connection)
    return connection
  }
  const close = (): Promise<void> => new Promise((resolve, reject) => pool.end((error) => { if (error) reject(error); else resolve() }))
  try {
    const connection = await acquire()
    try {
      const { rows } = await connection.executeQuery<{ version: string }>({ sql: 'SELECT VERSION() AS version', parameters: [] } as unknown as CompiledQuery)
      if (!rows[0]!.version.includes('MariaDB')) throw new Error(`${where} is not MariaDB but ${rows[0]!.version}, which has other collations and no DDL that can be repeated`)
    } finally {
      connection.release()
    }
  } catch (error) {
    await close().catch(() => {})
    const { errno, code } = error as { errno?: number, code?: string }
    if (errno === 1045 || errno === 1698) throw new Error(`${where} refused the user ${decodeURIComponent(url.username)} or the password`, { cause: error })
    if (errno === 1049 || errno === 1044) throw new Error(`${where} has no database ${url.pathname.slice(1)} for the user ${decodeURIComponent(url.username)}`, { cause: error })
    if (errno === undefined && code === undefined) throw error
    throw new Error(`${where} cannot be reached: ${error instanceof AggregateError ? error.errors.map(explain).join(', ') : explain(error)}`, { cause: error })
  }
  const server: Server = {
    engine: 'mysql', acquire, meaning, close,
    parts: { createAdapter: () => new MysqlAdapter(), createIntrospector: (db) => new MysqlIntrospector(db), createQueryCompiler: () => new Compiler() },
  }
  return serverStore(server)
}

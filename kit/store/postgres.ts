// PostgreSQL by node-postgres. Loaded only where it is configured.
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type CompiledQuery, type QueryResult } from 'kysely'
import pg from 'pg'
import { explain } from '#base/errors.ts'
import { asObjects, camelNames } from './engine.ts'
import { snake } from './names.ts'
import { type Meaning, type Server, ServerConnection, serverStore } from './server.ts'
import type { Store } from './store.ts'

class Compiler extends PostgresQueryCompiler {
  protected override sanitizeIdentifier(identifier: string): string { return super.sanitizeIdentifier(snake(identifier)) }
}

// int8 and numeric (the sum of int8) as numbers: our quantities stay below 2^53.
const types = { getTypeParser: (oid: number, format?: 'text' | 'binary') => oid === 20 || oid === 1700 ? Number : pg.types.getTypeParser(oid, format as 'text') }

// A statement with a name is parsed once a connection. Lists of varying length make many texts: past the bound they go without.
const names = new Map<string, string>()
function nameOf(sql: string): string | undefined {
  let name = names.get(sql)
  if (name === undefined && names.size < 1_000) names.set(sql, name = `s${names.size}`)
  return name
}

function meaning(error: unknown): Meaning {
  const { code = '', message = '' } = error as { code?: string, message?: string }
  if (code === '40001' || code === '40P01' || code === '55P03') return 'again'
  // A table was altered under a prepared statement: a fresh connection prepares it anew.
  if (code === '0A000' && message.includes('cached plan')) return 'lost'
  if (/^(08|57P0|53)/.test(code) || code === '25P03' || /^E[A-Z]+$/.test(code)
    || /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(message)) {
    return 'lost'
  }
  if (code === '22001') return 'tooLong'
  if (code === '22021' || code === '22P05') return 'notText'
  return undefined
}

class Connection extends ServerConnection {
  readonly #client: pg.PoolClient
  constructor(client: pg.PoolClient) {
    super()
    this.#client = client
    // It can break between two statements of a transaction: the next one then fails.
    client.on('error', () => { this.broken = true })
  }

  protected override async send(query: CompiledQuery): Promise<QueryResult<any>> {
    const values = query.parameters as unknown[]
    const result = await this.#client.query<unknown[]>({ text: query.sql, values, rowMode: 'array', ...(values.length > 0 && { name: nameOf(query.sql) }) })
    if (result.fields.length === 0) return { rows: [], numAffectedRows: BigInt(result.rowCount ?? 0) }
    return { rows: asObjects(camelNames(result.fields), result.rows) }
  }
  override meaning(error: unknown): Meaning { return meaning(error) }
  override async begin(): Promise<void> { await this.#client.query('BEGIN') }
  override async commit(): Promise<void> {
    // After a failed statement the server answers COMMIT by rolling back, without an error.
    if ((await this.#client.query('COMMIT')).command !== 'COMMIT') throw this.failed ?? new Error('the server rolled back instead of committing')
  }
  override async rollback(): Promise<void> { await this.#client.query('ROLLBACK') }
  override release(): void { this.#client.release(this.broken) }
}

/** Connects at once, so that a wrong URL shows at the start. Errors name the server, never the password. */
export async function openPostgres(config: { url: string, poolSize?: number }): Promise<Store> {
  const url = URL.parse(config.url)
  if (!url) throw new Error('the PostgreSQL URL must look like postgres://USER:PASSWORD@HOST:PORT/NAME')
  const where = `PostgreSQL at ${url.searchParams.get('host') ?? `${url.hostname}:${url.port || 5432}`}`
  const pool = new pg.Pool({
    connectionString: config.url, max: config.poolSize ?? 10, connectionTimeoutMillis: 10_000, application_name: 'pileus', types, keepAlive: true,
    // A process that hangs in a transaction must not hold its locks for ever.
    options: '-c default_transaction_isolation=read\\ committed -c timezone=UTC -c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000 -c client_min_messages=warning',
  })
  // An idle connection that breaks leaves the pool; the next user gets a new one.
  pool.on('error', () => {})
  const known = new WeakMap<pg.PoolClient, Connection>()
  const acquire = async (): Promise<Connection> => {
    const client = await pool.connect()
    let connection = known.get(client)
    if (!connection) known.set(client, connection = new Connection(client))
    return connection
  }
  try {
    const client = await pool.connect()
    try {
      const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding')
      if (rows[0]!.server_encoding !== 'UTF8') throw new Error(`${where}: the database must be encoded in UTF8, not ${rows[0]!.server_encoding}`)
    } finally {
      client.release()
    }
  } catch (error) {
    await pool.end()
    const code = (error as { code?: string }).code
    if (code === '28P01' || code === '28000') throw new Error(`${where} refused the user ${decodeURIComponent(url.username)} or the password`, { cause: error })
    if (code === '3D000') throw new Error(`${where} has no database ${url.pathname.slice(1)}`, { cause: error })
    if (code === undefined && !(error instanceof AggregateError) && meaning(error) !== 'lost') throw error
    throw new Error(`${where} cannot be reached: ${error instanceof AggregateError ? error.errors.map(explain).join(', ') : explain(error)}`, { cause: error })
  }
  const server: Server = {
    engine: 'postgres', acquire, meaning,
    parts: { createAdapter: () => new PostgresAdapter(), createIntrospector: (db) => new PostgresIntrospector(db), createQueryCompiler: () => new Compiler() },
    close: () => pool.end(),
  }
  return serverStore(server)
}

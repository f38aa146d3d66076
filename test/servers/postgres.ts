// A PostgreSQL server of our own from Debian's package: private port, directory and password, not safe against power loss.
import { chmodSync, chownSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newHexId, newSecret } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { freePort, isRoot, makeDirectory, run, start, tail, type RunAs, type Running } from './process.ts'

export interface SqlServer {
  /** Makes an empty database and answers its URL. */
  database(): Promise<string>
  /** Down and up again; `hard` as a crash would have it. */
  restart(options?: { hard?: boolean }): Promise<void>
  /** Stops the server and leaves it down until `resume`. */
  halt(options?: { hard?: boolean }): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
}

/** Starts a server whose data lies in `dir`. `durable` syncs to disk at each commit, as real ones do. */
export async function startPostgres(dir: string, { durable = false } = {}): Promise<SqlServer> {
  const as: RunAs = { user: 'postgres' }
  const root = '/usr/lib/postgresql'
  const bin = (name: string): string => join(root, readdirSync(root).toSorted().at(-1)!, 'bin', name)
  await makeDirectory(dir, as.user)
  const port = await freePort(), password = newSecret(18), passwordFile = join(dir, 'password'), logFile = join(dir, 'out.log'), data = join(dir, 'data')
  writeFileSync(passwordFile, password)
  const { uid, gid } = statSync(dir)
  if (isRoot) chownSync(passwordFile, uid, gid)
  chmodSync(passwordFile, 0o600)
  // A default collation that is not binary: ours must not depend on it.
  await run(as, bin('initdb'), ['-D', data, '-U', 'pileus', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US', '--no-sync'])
  let server: Running | undefined
  const sql = (text: string): Promise<string> => run({ ...as, env: { PGPASSWORD: password } }, 'psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'pileus', '-d', 'postgres', '-qAtc', text])
  async function resume(): Promise<void> {
    server = start(as, bin('postgres'), ['-D', data, '-p', String(port), '-k', dir, '-c', 'listen_addresses=127.0.0.1', '-c', 'shared_buffers=32MB', '-c', `fsync=${durable ? 'on' : 'off'}`, '-c', 'max_connections=100'], logFile)
    await waitFor('PostgreSQL', async () => {
      if (!server!.alive) throw new Error(`PostgreSQL did not start: ${tail(logFile)}`)
      return run(as, bin('pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).then(() => true as const, () => undefined)
    }, 30_000)
  }
  // INT: without waiting for clients.  QUIT: no shutdown checkpoint, so that the next start recovers.
  async function halt(hard = false): Promise<void> {
    server?.kill(hard ? 'SIGQUIT' : 'SIGINT')
    await server?.exited
  }
  await resume()
  return {
    async database() {
      const name = `d${newHexId().slice(0, 12)}`
      await sql(`CREATE DATABASE ${name}`)
      return `postgres://pileus:${password}@127.0.0.1:${port}/${name}`
    },
    halt: ({ hard = false } = {}) => halt(hard), resume,
    async restart({ hard = false } = {}) { await halt(hard); await resume() },
    stop: () => halt(),
  }
}

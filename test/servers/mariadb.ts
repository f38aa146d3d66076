// A MariaDB server of our own from Debian's package: private port, directory and password, not safe against power loss.
import { join } from 'node:path'
import { newHexId, newSecret } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import type { SqlServer } from './postgres.ts'
import { freePort, makeDirectory, run, start, tail, type RunAs, type Running } from './process.ts'

/** Starts a server whose data lies in `dir`. `durable` syncs to disk at each commit, as real ones do. */
export async function startMariadb(dir: string, { durable = false } = {}): Promise<SqlServer> {
  const as: RunAs = { user: 'mysql' }
  await makeDirectory(dir, as.user)
  const port = await freePort(), password = newSecret(18), logFile = join(dir, 'out.log'), data = join(dir, 'data'), socket = join(dir, 's')
  await run(as, 'mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'])
  let server: Running | undefined, secret = ''
  const sql = (text: string): Promise<string> => run({ ...as, env: { MYSQL_PWD: secret } }, 'mariadb', ['--no-defaults', '-uroot', '-S', socket, '-Nse', text])
  async function resume(): Promise<void> {
    server = start(as, 'mariadbd', [
      '--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${socket}`, `--pid-file=${join(dir, 'pid')}`, '--innodb-buffer-pool-size=64M',
      `--innodb-flush-log-at-trx-commit=${durable ? 1 : 2}`, '--performance-schema=off', '--max-allowed-packet=64M',
    ], logFile)
    await waitFor('MariaDB', async () => {
      if (!server!.alive) throw new Error(`MariaDB did not start: ${tail(logFile)}`)
      return sql('SELECT 1').then(() => true as const, () => undefined)
    }, 60_000)
  }
  async function halt(hard = false): Promise<void> {
    server?.kill(hard ? 'SIGKILL' : 'SIGTERM')
    await server?.exited
  }
  await resume()
  await sql(`CREATE USER pileus@127.0.0.1 IDENTIFIED BY '${password}'; GRANT ALL ON *.* TO pileus@127.0.0.1; ALTER USER root@localhost IDENTIFIED BY '${password}'`)
  secret = password
  return {
    // In the server's default character set, which is not ours: our tables must not depend on it.
    async database() {
      const name = `d${newHexId().slice(0, 12)}`
      await sql(`CREATE DATABASE ${name}`)
      return `mysql://pileus:${password}@127.0.0.1:${port}/${name}`
    },
    halt: ({ hard = false } = {}) => halt(hard), resume,
    async restart({ hard = false } = {}) { await halt(hard); await resume() },
    stop: () => halt(),
  }
}

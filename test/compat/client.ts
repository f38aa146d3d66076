// The unmodified `openstack` client of Debian, for tests: commands of one user, run in forks of one warm Python interpreter.
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Ran { rc: number, out: string, err: string }

export interface Credentials { username: string, password: string, project?: string, /** The name of the domain of both. */ domain?: string, system?: boolean }

/** One user's client. */
export interface OpenStack {
  /** Runs a command line, split at blanks; arguments with blanks go into `more`. Throws when the command fails. Answers what it printed. */
  (line: string, ...more: string[]): Promise<string>
  /** The same with `-f json`, parsed. */
  json<T = any>(line: string, ...more: string[]): Promise<T>
  /** Runs it and answers whatever happens. */
  attempt(line: string, ...more: string[]): Promise<Ran>
  /** Expects a failure; answers what was said. */
  fails(line: string, ...more: string[]): Promise<string>
}

export interface Client {
  as(credentials: Credentials, url?: string): OpenStack
  /** A client that is told no more than this environment: for other ways to log in than by password. */
  told(env: Record<string, string>, url?: string): OpenStack
  /** How many commands were run. */
  readonly count: number
  close(): Promise<void>
}

/** Why the client cannot run here; undefined when it can. */
export const missingClient = (): string | undefined =>
  spawnSync('/usr/bin/python3', ['-c', 'import openstackclient'], { stdio: 'ignore' }).status === 0 ? undefined : 'needs the openstack client: apt-get install python3-openstackclient'

/** Starts the interpreter; `url` is the cloud's. */
export async function startClient(url: string): Promise<Client> {
  const child = spawn('/usr/bin/python3', ['-W', 'ignore', fileURLToPath(new URL('client.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', LANG: 'C.UTF-8', COLUMNS: '200' },
  })
  const waiting = new Map<number, { resolve(ran: Ran): void, reject(error: Error): void }>()
  const exited = new Promise<void>((resolve) => child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the client\'s interpreter is gone'))
    resolve()
  }))
  let last = 0
  const ready = new Promise<Ran>((resolve, reject) => waiting.set(0, { resolve, reject }))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const ran = JSON.parse(line) as Ran & { id: number }
    waiting.get(ran.id)?.resolve(ran)
    waiting.delete(ran.id)
  })
  await ready

  const run = (argv: string[], env: Record<string, string>): Promise<Ran> => new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject })
    child.stdin.write(`${JSON.stringify({ id: last, argv, env })}\n`)
  })
  const told: Client['told'] = (own, base = url) => {
    const env = { OS_AUTH_URL: `${base}/identity/v3`, OS_IDENTITY_API_VERSION: '3', OS_REGION_NAME: 'RegionOne', ...own }
    const attempt = (line: string, ...more: string[]): Promise<Ran> => run([...line.trim().split(/\s+/), ...more], env)
    const openstack = async (line: string, ...more: string[]): Promise<string> => {
      const { rc, out, err } = await attempt(line, ...more)
      if (rc !== 0) throw new Error(`openstack ${[line, ...more].join(' ')} failed (${rc}):\n${err.slice(-3000)}${out.slice(-1000)}`)
      return out
    }
    return Object.assign(openstack, {
      attempt,
      json: async <T = any>(line: string, ...more: string[]) => JSON.parse(await openstack(line, ...more, '-f', 'json')) as T,
      async fails(line: string, ...more: string[]) {
        const { rc, out, err } = await attempt(line, ...more)
        if (rc === 0) throw new Error(`openstack ${[line, ...more].join(' ')} succeeded:\n${out}`)
        return err
      },
    })
  }
  return {
    told,
    as: (who, base) => told({
      OS_USERNAME: who.username, OS_PASSWORD: who.password, OS_USER_DOMAIN_NAME: who.domain ?? 'Default',
      ...(who.system ? { OS_SYSTEM_SCOPE: 'all' } : { OS_PROJECT_NAME: who.project ?? who.username, OS_PROJECT_DOMAIN_NAME: who.domain ?? 'Default' }),
    }, base),
    get count() { return last },
    async close() {
      child.stdin.end()
      await exited
    },
  }
}

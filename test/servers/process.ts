// Starting a real server for a test: as its own unprivileged user where we are root, on private ports and directories, gone with the test.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { appendFileSync, chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Set when the test runs as root: which user the server runs as. */
export interface RunAs { user: string, env?: Record<string, string> }

export const isRoot = process.getuid?.() === 0

const asUser = (user: string, command: string, args: string[], deathSignal: string): [string, string[]] => isRoot
  ? ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--pdeathsig', deathSignal, '--', command, ...args]]
  : ['setpriv', ['--pdeathsig', deathSignal, '--', command, ...args]]

/** A directory of the server's own. `parent` must be reachable for its user: below /tmp, not below a home directory. */
export async function makeDirectory(path: string, user: string): Promise<string> {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o755)
  if (isRoot) await promisify(execFile)('chown', [user, path])
  return path
}

/** A directory for a test's servers, passable for their users. */
export function scratch(name: string): { dir: string, remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), `pileus-${name}-`))
  chmodSync(dir, 0o711)
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** Runs a command to its end as the server's user; its output is in the error when it fails. */
export async function run(as: RunAs, command: string, args: string[], timeoutMs = 60_000): Promise<string> {
  const [file, all] = asUser(as.user, command, args, 'KILL')
  try {
    const { stdout } = await promisify(execFile)(file, all, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...as.env }, timeout: timeoutMs, cwd: '/' })
    return stdout
  } catch (error) {
    const e = error as { stdout?: string, stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed: ${`${e.stderr ?? ''}${e.stdout ?? ''}`.slice(-2_000)}`, { cause: error })
  }
}

export interface Running {
  readonly pid: number
  readonly exited: Promise<void>
  readonly alive: boolean
  kill(signal: NodeJS.Signals): void
}

/** Starts a server that ends with us, even when we are killed; its output goes to `logFile`. */
export function start(as: RunAs, command: string, args: string[], logFile: string): Running {
  appendFileSync(logFile, '')
  const log = openSync(logFile, 'a')
  const [file, all] = asUser(as.user, command, args, 'TERM')
  const child: ChildProcess = spawn(file, all, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...as.env }, stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  let alive = true
  const exited = new Promise<void>((resolve) => {
    const over = (): void => { alive = false; resolve() }
    child.once('exit', over)
    child.once('error', over)
  })
  return { pid: child.pid ?? 0, exited, get alive() { return alive }, kill: (signal) => { child.kill(signal) } }
}

/** A port of the loopback nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** True when somebody listens there, else undefined (for waitFor). */
export const connects = (port: number): Promise<true | undefined> => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
  socket.once('error', () => resolve(undefined))
})

export const tail = (file: string): string => { try { return readFileSync(file, 'utf8').slice(-2_000) } catch { return '' } }

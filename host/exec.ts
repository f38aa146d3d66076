// Runs commands of the machine: arguments as a list and never a shell, output bounded, time bounded, the environment
// always the same (a command's answer must not depend on who started us).
import { spawn } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { Fault } from '#base/errors.ts'
import { MIB } from '#base/units.ts'

/** What every command sees; LC_ALL keeps messages in the words that callers look for. */
const plainEnv = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

export interface ExecOptions {
  /** Written to the command's standard input, which is then closed. Absent: /dev/null. */
  stdin?: string | Uint8Array
  /** Killed after this long. 30 s unless told. */
  timeoutMs?: number
  signal?: AbortSignal
  /** More output than this (each of stdout and stderr) kills the command. 8 MiB unless told. */
  maxOutputBytes?: number
  /** Exit codes that are not failures. [0] unless told. */
  okCodes?: readonly number[]
  cwd?: string
  /** Added to the plain environment. */
  env?: Record<string, string>
  uid?: number
  gid?: number
}

export interface ExecResult { code: number, stdout: string, stderr: string }

/** A command of the machine failed. Callers may look at `code` and `stderr` (already bounded); the public message names only the command. */
export class CommandFault extends Fault {
  readonly command: string
  /** Undefined if it was killed or could not be started. */
  readonly code: number | undefined
  readonly stderr: string
  constructor(command: string, what: string, detail: { code?: number, stderr?: string, cause?: unknown } = {}) {
    const stderr = tail(detail.stderr ?? '')
    super('unavailable', `${command} ${what}`, { adminDetail: stderr || undefined, cause: detail.cause ?? (stderr ? new Error(stderr) : undefined) })
    this.command = command
    this.code = detail.code
    this.stderr = stderr
  }
}

/** The last 2,000 characters, trimmed: where commands say what went wrong. */
export const tail = (text: string, length = 2000): string => text.trim().slice(-length)

/** Runs a command to its end. Throws a CommandFault if it cannot start, fails, runs too long or says too much. */
export function exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs = 30_000, maxOutputBytes = 8 * MIB, okCodes = [0], signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new CommandFault(command, 'was not run: cancelled', { cause: signal.reason }))
    const out: Buffer[] = [], err: Buffer[] = []
    let failure: string | undefined
    let child: ChildProcess
    try {
      child = spawn(command, args, {
        stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], env: { ...plainEnv, ...options.env },
        cwd: options.cwd, uid: options.uid, gid: options.gid,
      })
    } catch (cause) {
      return reject(new CommandFault(command, 'could not be started', { cause }))
    }
    // A grandchild may hold the pipes open after the kill, so the pipes are let go of too: 'close' then comes at once.
    const stop = (why: string): void => {
      failure ??= why
      child.kill('SIGKILL')
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    const timer = setTimeout(() => stop(`took longer than ${timeoutMs} ms`), timeoutMs)
    const aborted = (): void => stop('was cancelled')
    signal?.addEventListener('abort', aborted, { once: true })
    const collect = (into: Buffer[]) => {
      let bytes = 0
      return (chunk: Buffer): void => {
        bytes += chunk.length
        if (bytes > maxOutputBytes) stop(`wrote more than ${maxOutputBytes} bytes`)
        else into.push(chunk)
      }
    }
    child.stdout?.on('data', collect(out))
    child.stderr?.on('data', collect(err))
    // A command that ends without reading its input is judged by its exit code, not by our broken pipe.
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.stdin)
    const over = (): void => { clearTimeout(timer); signal?.removeEventListener('abort', aborted) }
    child.on('error', cause => { over(); reject(new CommandFault(command, 'could not be started', { cause })) })
    child.on('close', (code, killedBy) => {
      over()
      const stderr = Buffer.concat(err).toString()
      if (failure !== undefined) return reject(new CommandFault(command, failure, { stderr, cause: signal?.aborted ? signal.reason : undefined }))
      if (code === null) return reject(new CommandFault(command, `was killed by ${killedBy}`, { stderr }))
      if (!okCodes.includes(code)) return reject(new CommandFault(command, `failed (exit code ${code})`, { code, stderr }))
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr })
    })
  })
}

/** Runs a command that prints JSON (`ip -json`, `qemu-img --output=json`) and parses it; empty output is undefined. */
export async function execJson<T>(command: string, args: readonly string[], options: ExecOptions = {}): Promise<T | undefined> {
  const { stdout } = await exec(command, args, options)
  if (stdout.trim() === '') return undefined
  try {
    return JSON.parse(stdout) as T
  } catch (cause) {
    throw new CommandFault(command, 'answered something other than JSON', { cause })
  }
}

export interface Detached {
  pid: number
  /** Settles when it ends while we live; never rejects. */
  exited: Promise<{ code: number | null, signal: NodeJS.Signals | null }>
  /** What it said on stderr last, if `stdio[2]` was 'pipe'; at most 4 KiB. */
  stderrTail(): string
}

/**
 * Starts a daemon: own session, so it outlives us and no signal to our group reaches it; we neither wait for it nor keep running because of it.
 * `stdio` holds file descriptors, listening servers or 'ignore'; a 'pipe' at index 2 is read into stderrTail() and breaks harmlessly when we end.
 */
export function spawnDetached(command: string, args: readonly string[], options: { stdio?: StdioOptions, cwd?: string, env?: Record<string, string>, uid?: number, gid?: number } = {}): Promise<Detached> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess
    try {
      child = spawn(command, args, { detached: true, stdio: options.stdio ?? 'ignore', cwd: options.cwd, env: { ...plainEnv, ...options.env }, uid: options.uid, gid: options.gid })
    } catch (cause) {
      return reject(new CommandFault(command, 'could not be started', { cause }))
    }
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-4096) })
    child.stderr?.on('error', () => {})
    // 'close' comes after the last of stderr was read, so whoever waits for the end may quote it.
    const exited = new Promise<{ code: number | null, signal: NodeJS.Signals | null }>(done => child.on('close', (code, signal) => done({ code, signal })))
    child.once('error', cause => reject(new CommandFault(command, 'could not be started', { cause })))
    child.once('spawn', () => resolve({ pid: child.pid as number, exited, stderrTail: () => said.trim() }))
    child.unref()
    if (child.stderr && 'unref' in child.stderr) (child.stderr as unknown as { unref(): void }).unref()
  })
}

// Other processes of the host, known by pid *and* start time: a pid alone may belong to somebody else by now.
import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isMissing } from './files.ts'

export interface ProcessId {
  pid: number
  /** Clock ticks since the host's start, from /proc/PID/stat. */
  startTicks: number
}

const gone = (error: unknown): boolean => isMissing(error) || (error as NodeJS.ErrnoException).code === 'ESRCH'

/** When a process started; undefined if there is none, or only a zombie nobody has waited for yet. */
export async function startOf(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name stands in parentheses and may hold anything, so fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A dying process's first thread may be a zombie already while others still hold its files: only when it is alone nothing is left of it.
    if (fields[0] === 'X' || (fields[0] === 'Z' && (await readdir(`/proc/${pid}/task`)).length <= 1)) return undefined
    return Number(fields[19])
  } catch (error) {
    if (gone(error)) return undefined
    throw error
  }
}

export const isRunning = async (process: ProcessId): Promise<boolean> => await startOf(process.pid) === process.startTicks

/** Sends a signal (0 only asks); false if there is no such process (any more). */
export const signalProcess = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (gone(error)) return false
    throw error
  }
}

/** The effective uid a process runs as; undefined if there is none. */
export async function uidOf(pid: number): Promise<number | undefined> {
  try {
    const match = /^Uid:\s+\d+\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
    return match ? Number(match[1]) : undefined
  } catch (error) {
    if (gone(error)) return undefined
    throw error
  }
}

/** Every process that runs as one of `uids`: reads all of /proc, some 20 µs a process. */
export async function processesOf(uids: ReadonlySet<number>): Promise<(ProcessId & { uid: number })[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(async pid => {
    const uid = await uidOf(pid)
    if (uid === undefined || !uids.has(uid)) return []
    const startTicks = await startOf(pid)
    return startTicks === undefined ? [] : [{ pid, startTicks, uid }]
  }))
  return found.flat()
}

/** Kills at once, and answers when it is gone. Not there is success. Throws if it is still there after `timeoutMs` (stuck in the kernel). */
export async function kill(target: ProcessId, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs
  if (await isRunning(target)) send(target.pid)
  // There is no way to be told of the end of a process that is not our child; it takes a few milliseconds.
  for (let pauseMs = 1; await isRunning(target); pauseMs = Math.min(50, pauseMs * 2)) {
    if (Date.now() > end) throw new Error(`process ${target.pid} does not die`)
    await delay(pauseMs)
  }
}

const send = (pid: number): void => {
  try { process.kill(pid, 'SIGKILL') } catch (error) { if (!gone(error)) throw error }
}

/** Answers when the process has ended by itself, or false after `timeoutMs`. */
export async function ended(target: ProcessId, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs
  for (let pauseMs = 1; await isRunning(target); pauseMs = Math.min(50, pauseMs * 2)) {
    if (Date.now() > end) return false
    await delay(pauseMs)
  }
  return true
}

let boot: Promise<string> | undefined
/** Differs after each start of the host. */
export const bootId = (): Promise<string> => boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(text => text.trim())

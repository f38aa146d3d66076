// Files that must survive a crash at any moment: written whole or not at all, removed without complaint when absent.
import { mkdir, open, readFile, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { unavailable } from '#base/errors.ts'
import type { Fault } from '#base/errors.ts'

export interface WriteOptions {
  /** Permission bits; 0600 unless told. */
  mode?: number
  owner?: { uid: number, gid: number }
  /** Waits until the bytes are on the disk (also the name). Only for what must survive a power cut; costs milliseconds. */
  durable?: boolean
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** True for "no such file or directory" (also when a parent is missing). */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
export const isExisting = (error: unknown): boolean => codeOf(error) === 'EEXIST'

/** A clear Fault for a full disk, the error itself otherwise. */
export const diskFault = (error: unknown): unknown =>
  codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT' ? noSpace(error) : error
export const noSpace = (cause?: unknown): Fault => unavailable('No space left on the host\'s disk', { type: 'DiskFull', cause })

/** Writes a file whole: into a temporary name beside it, then renamed over it. Readers see the old or the new bytes, never a mixture. */
export async function writeAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o600)
    try {
      await file.writeFile(data)
      if (options.mode !== undefined) await file.chmod(options.mode) // whatever the umask
      if (options.owner) await file.chown(options.owner.uid, options.owner.gid)
      if (options.durable) await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    if (options.durable) await syncDirectory(dirname(path))
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw diskFault(error)
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try { await directory.sync() } finally { await directory.close() }
}

/** The value as JSON, written whole. */
export const writeJson = (path: string, value: unknown, options?: WriteOptions): Promise<void> => writeAtomic(path, `${JSON.stringify(value)}\n`, options)

/** The bytes as text; undefined if there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A JSON file's value; undefined if there is no such file. Throws on what is not JSON. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readText(path)
  return text === undefined ? undefined : JSON.parse(text) as T
}

/** Makes a file or a whole tree absent; not there is success. */
export const removeTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true })

/** Makes one file absent; not there is success. Answers whether it was there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Removes a directory if it is empty; answers whether it is gone. */
export async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    if (isMissing(error)) return true
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST' || codeOf(error) === 'EBUSY') return false
    throw error
  }
}

/** Makes a directory and its parents; there already is success. */
export const ensureDirectory = async (path: string, mode = 0o700): Promise<void> => {
  try {
    await mkdir(path, { recursive: true, mode })
  } catch (error) {
    throw diskFault(error)
  }
}

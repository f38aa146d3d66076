// The serial log: bounded, also while no control plane runs, and there after the guest has died.
// QEMU's own log file grows without bound, so QEMU writes into a pipe, and a keeper (two of coreutils' programs, about 2 MB) turns it into two files of half the size each.
// The keeper runs as a uid of its own: neither the guest's process nor the keeper can make us read anything else than what the keeper wrote. It ends when QEMU does.
import { constants } from 'node:fs'
import { chown, mkdir, open, rename, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { exec, spawnDetached } from '#host/exec.ts'
import { isExisting, isMissing, removeFile } from '#host/files.ts'
import { startOf } from '#host/processes.ts'
import type { ProcessId } from '#host/processes.ts'

/**
 * $1: bytes a file. head copies what comes until the file is full (unbuffered: a line is there when the guest has written it), then the files change places.
 * A full disk must not stop the guest, which would wait for room in the pipe: what cannot be written is thrown away.
 */
const keeper = `
while :; do
  if stdbuf -o0 head -c "$1" >console; then
    [ "$(wc -c <console)" -lt "$1" ] && exit 0
    mv -f console console.1
  else
    [ "$(head -c "$1" | wc -c)" -eq 0 ] && exit 0
  fi
done 2>/dev/null`

export interface LogKeeper {
  process: ProcessId
  /** The end of the pipe that QEMU writes into; close ours once QEMU has it. */
  into: FileHandle
}

/** Starts a keeper over `directory`. The log of the start before is kept as the older half. */
export async function startLogKeeper(directory: string, uid: number, bytes: number): Promise<LogKeeper> {
  await mkdir(directory, { mode: 0o700 }).catch(error => { if (!isExisting(error)) throw error })
  await chown(directory, uid, uid)
  const fifo = `${directory}.fifo`
  await removeFile(fifo)
  const [, current] = await Promise.all([exec('mkfifo', ['-m', '600', fifo]), stat(join(directory, 'console')).catch(() => undefined)])
  if (current && current.size > 0) await rename(join(directory, 'console'), join(directory, 'console.1'))
  // The reading end first and without waiting: then the writing end opens at once.
  const out = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const into = await open(fifo, constants.O_WRONLY)
    try {
      await removeFile(fifo)
      const { pid } = await spawnDetached('sh', ['-c', keeper, 'console-log', String(Math.ceil(bytes / 2))], { stdio: [out.fd, 'ignore', 'ignore'], cwd: directory, uid, gid: uid })
      return { process: { pid, startTicks: await startOf(pid) ?? -1 }, into }
    } catch (error) {
      await into.close()
      throw error
    }
  } finally {
    await out.close()
  }
}

async function read(path: string, maxBytes: number): Promise<{ bytes: Buffer, inode: number }> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isMissing(error)) return { bytes: Buffer.alloc(0), inode: -1 }
    throw error
  }
  try {
    const { size, ino } = await file.stat()
    const length = Math.min(size, maxBytes), bytes = Buffer.alloc(length)
    const { bytesRead } = await file.read(bytes, 0, length, size - length)
    return { bytes: bytes.subarray(0, bytesRead), inode: ino }
  } finally {
    await file.close()
  }
}

/** The last bytes of the log. */
export async function readLog(directory: string, maxBytes: number): Promise<Buffer> {
  const newer = await read(join(directory, 'console'), maxBytes)
  if (newer.bytes.length >= maxBytes) return newer.bytes
  const older = await read(join(directory, 'console.1'), maxBytes - newer.bytes.length)
  // The files may have changed places between the two reads.
  return older.inode === newer.inode ? newer.bytes : Buffer.concat([older.bytes, newer.bytes])
}

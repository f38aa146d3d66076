// Brings a stream into a file, hashing it on the way: each chunk is hashed while it is still in the processor's cache, and chunks are written a MiB at a time without being
// copied, the next MiB coming in meanwhile. That one write may be under way is the back pressure.
// Measured and left: hashing in threads of their own over a shared ring. On two busy cores it took up to twice the time and a third more CPU, for the bytes go through another
// core's cache twice; only on idle cores it wins.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { chunksOf, tooMuch } from '#base/chunks.ts'
import { MIB } from '#base/units.ts'
import type { PutOptions } from '../contract.ts'

const writeBytes = MIB
/** Bytes are sent to the disk while more are coming, so that the end does not have to wait for all of them. */
const syncEveryBytes = 64 * MIB

export interface Received { size: number, md5: string, sha512: string }

/** Writes all of `chunks`, however many calls the system makes of it. */
async function writeAll(file: FileHandle, chunks: Buffer[], at: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks, at)
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (bytesWritten === total) return
  const rest = Buffer.concat(chunks)
  for (let done = bytesWritten; done < total;) done += (await file.write(rest, done, total - done, at + done)).bytesWritten
}

/** Reads `body` to its end into `file`, which is then on the disk. Throws Faults for what the sender did; the file is the caller's to remove. */
export async function receive(body: Readable, file: FileHandle, { maxBytes, inspect, inspectBytes = 0 }: PutOptions): Promise<Received> {
  const md5 = createHash('md5'), sha512 = createHash('sha512')
  let size = 0, written = 0, synced = 0, looked = inspect === undefined
  let waiting: Buffer[] = []
  let writing: Promise<void> = Promise.resolve(), syncing: Promise<void> = Promise.resolve()

  const look = (): void => {
    if (looked) return
    looked = true
    inspect!(Buffer.concat(waiting).subarray(0, inspectBytes))
  }
  /** Writes what waits; settles when the write before it is done. */
  const write = async (): Promise<void> => {
    const chunks = waiting, at = written, before = writing
    waiting = []
    written = size
    await before
    writing = writeAll(file, chunks, at)
    writing.catch(() => {}) // whoever awaits it sees it
    if (written - synced < syncEveryBytes) return
    synced = written
    await syncing
    syncing = writing.then(() => file.datasync())
    syncing.catch(() => {})
  }

  try {
    for await (const chunk of chunksOf(body)) {
      size += chunk.length
      if (size > maxBytes) throw tooMuch(maxBytes)
      waiting.push(chunk)
      if (size >= inspectBytes) look()
      md5.update(chunk)
      sha512.update(chunk)
      if (looked && size - written >= writeBytes) await write()
    }
    look()
    await write()
    await writing
    await syncing
    await file.datasync()
    return { size, md5: md5.digest('hex'), sha512: sha512.digest('hex') }
  } finally {
    // The file may be closed only when nothing is under way.
    await Promise.allSettled([writing, syncing])
  }
}

// Brings a stream into a file, hashing it on the way: chunks are gathered into slots of 1 MiB in a ring that the hashing threads share, each slot is written and hashed
// at the same time, and a slot is filled again only when both are done with it. That is the back pressure.
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { MIB } from '#base/units.ts'
import { chunksOf, tooMuch } from '../stream-faults.ts'
import type { PutOptions } from '../contract.ts'
import { hashAtOnce, hashInThreads } from './hashing.ts'
import type { Digests, Hashing } from './hashing.ts'

const slotBytes = MIB
/** Room for the bytes that are inspected before anything is written, and then some. */
const slots = 8
/** Smaller ones are hashed on the spot. */
const startAtBytes = 4 * slotBytes
/** Bytes are sent to the disk while more are coming, so that the end does not have to wait for all of them. */
const syncEveryBytes = 64 * MIB

export interface Received extends Digests { size: number }

/** Reads `body` to its end into `file`, which is then on the disk. Throws Faults for what the sender did; the file is the caller's to remove. */
export async function receive(body: Readable, file: FileHandle, { maxBytes, inspect, inspectBytes = 0 }: PutOptions): Promise<Received> {
  const inspected = inspect ? Math.min(inspectBytes, (slots - 1) * slotBytes) : 0
  const shared = new SharedArrayBuffer(slots * slotBytes), ring = Buffer.from(shared)
  const busy = Array.from({ length: slots }, (): Promise<unknown> => Promise.resolve())
  let hashing: Hashing | undefined
  const failures: unknown[] = []
  let size = 0, handed = 0, synced = 0, looked = inspect === undefined
  let writing: Promise<unknown> = Promise.resolve(), syncing: Promise<unknown> = Promise.resolve()
  const failed = (error: unknown): void => { failures.push(error) }
  const stopIfFailed = (): void => { if (failures.length > 0) throw failures[0] }

  const look = (): void => {
    if (looked) return
    looked = true
    inspect!(Buffer.from(ring.subarray(0, Math.min(size, inspected))))
  }
  /** Everything up to `until` goes to disk and hash; at most a slot at a time. */
  const hand = (until: number): void => {
    while (handed < until) {
      const from = handed, slot = Math.floor(from / slotBytes) % slots, at = slot * slotBytes + from % slotBytes
      const length = Math.min(until - from, slotBytes - from % slotBytes)
      handed += length
      writing = writing.then(async () => {
        for (let done = 0; done < length && failures.length === 0;) done += (await file.write(ring, at + done, length - done, from + done)).bytesWritten
      }).catch(failed)
      // Settled when the slot is free again; failures are looked at by whoever goes on.
      busy[slot] = Promise.all([writing, hashing!.slot(at, length).catch(failed)])
      if (handed - synced >= syncEveryBytes) {
        synced = handed
        syncing = Promise.all([syncing, writing]).then(() => file.datasync()).catch(failed)
      }
    }
  }

  try {
    for await (const chunk of chunksOf(body)) {
      if (size + chunk.length > maxBytes) throw tooMuch(maxBytes)
      for (let used = 0; used < chunk.length;) {
        const slot = Math.floor(size / slotBytes) % slots, within = size % slotBytes
        if (within === 0) await busy[slot]
        stopIfFailed()
        const part = Math.min(chunk.length - used, slotBytes - within)
        chunk.copy(ring, slot * slotBytes + within, used, used + part)
        used += part
        size += part
        if (!looked && size >= inspected) look()
        // What fits into a few slots may be all there is; threads and writes begin when it is more.
        if (looked && size % slotBytes === 0 && (hashing || size >= startAtBytes)) {
          hashing ??= hashInThreads(shared)
          hand(size)
        }
      }
    }
    look()
    let digests: Digests
    if (hashing) {
      hand(size)
      await Promise.all(busy)
      stopIfFailed()
      digests = await hashing.end()
    } else {
      digests = await hashAtOnce(ring.subarray(0, size))
      for (let done = 0; done < size;) done += (await file.write(ring, done, size - done, done)).bytesWritten
    }
    await syncing
    stopIfFailed()
    await file.datasync()
    return { size, ...digests }
  } finally {
    // Nothing may touch the file or the ring after we are done with them.
    failed(new Error('over'))
    await Promise.all([writing, syncing])
    hashing?.release()
  }
}

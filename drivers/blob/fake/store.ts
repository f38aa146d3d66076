// Blobs in memory, for tests and for clouds that are thrown away.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import { chunksOf, tooMuch } from '#base/chunks.ts'
import { notFound } from '#base/errors.ts'
import { Serial } from '#base/serial.ts'
import type { BlobStore, PutOptions, Stored } from '../contract.ts'

const hex = (algorithm: string, bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex')

export class FakeBlobs implements BlobStore {
  readonly name = 'fake'
  readonly #kept = new Map<string, Buffer>()
  readonly #turns = new Serial()

  async put(_ctx: Context, body: Readable, { maxBytes, inspect, inspectBytes = 0, keep, unused }: PutOptions): Promise<Stored> {
    const chunks: Buffer[] = []
    let size = 0, looked = inspect === undefined
    const look = (): void => { if (!looked) { looked = true; inspect!(Buffer.concat(chunks).subarray(0, inspectBytes)) } }
    for await (const chunk of chunksOf(body)) {
      size += chunk.length
      if (size > maxBytes) throw tooMuch(maxBytes)
      chunks.push(chunk)
      if (size >= inspectBytes) look()
    }
    look()
    const bytes = Buffer.concat(chunks), sha512 = hex('sha512', bytes)
    const stored: Stored = { location: sha512, size, md5: hex('md5', bytes), sha512 }
    await this.#turns.run(sha512, async () => {
      const there = this.#kept.has(sha512)
      this.#kept.set(sha512, bytes)
      try {
        await keep?.(stored)
      } catch (error) {
        if (unused ? await unused(sha512) : !there) this.#kept.delete(sha512)
        throw error
      }
    })
    return stored
  }

  async get(_ctx: Context, location: string, range?: { start: number, end: number }): Promise<Readable> {
    const bytes = this.#kept.get(location)
    if (!bytes) throw notFound('The data is not there.')
    const asked = range ? bytes.subarray(range.start, range.end + 1) : bytes
    return Readable.from(asked.length > 0 ? [asked] : [], { objectMode: false })
  }

  remove(_ctx: Context, location: string, unused: () => Promise<boolean>): Promise<void> {
    return this.#turns.run(location, async () => { if (await unused()) this.#kept.delete(location) })
  }

  async recover(): Promise<void> {}

  async list(): Promise<{ location: string, size: number }[]> { return [...this.#kept].map(([location, bytes]) => ({ location, size: bytes.length })) }
  close(): Promise<void> { return this.#turns.idle() }
}

// What every blob store must do. A driver's own test calls blobSuite() with a way to make it.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { plainContext } from '#base/context.ts'
import { conflict, isFault } from '#base/errors.ts'
import { KIB, MIB } from '#base/units.ts'
import type { BlobStore } from './contract.ts'

export interface BlobHarness {
  store: BlobStore
  /** What lies around besides the blobs that `list` names. */
  leftovers(): Promise<string[]>
  close(): Promise<void>
}

const ctx = plainContext()
const hash = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex')

/** Bytes that no other call gives, and no two places of which are equal. */
const bytesOf = (length: number): Buffer => randomBytes(length)
/** In chunks of changing, odd sizes. */
const streamOf = (bytes: Buffer, chunk = 65_521): Readable => {
  const chunks: Buffer[] = []
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = n % 3 === 0 ? chunk : n % 3 === 1 ? 1 : chunk * 2
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return Readable.from(chunks)
}
const endless = { maxBytes: Number.MAX_SAFE_INTEGER }

export function blobSuite(name: string, make: () => Promise<BlobHarness>): void {
  describe(`blob store ${name}`, () => {
    let h: BlobHarness
    before(async () => { h = await make() })
    after(() => h?.close())
    const read = async (location: string, range?: { start: number, end: number }): Promise<Buffer> => buffer(await h.store.get(ctx, location, range))
    const listed = async (location: string): Promise<number> => (await h.store.list(ctx)).filter(blob => blob.location === location).length
    /** Runs a put that must fail, and sees that it left nothing. */
    const refused = async (work: () => Promise<unknown>, check: (error: unknown) => boolean): Promise<void> => {
      const before = await h.store.list(ctx)
      await assert.rejects(work, check)
      assert.deepEqual(await h.store.list(ctx), before)
      assert.deepEqual(await h.leftovers(), [])
    }

    for (const size of [0, 1, 64 * KIB, MIB - 1, MIB, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 12_345, 20 * MIB]) test(`keeps ${size} bytes and their hashes`, async () => {
      const bytes = bytesOf(size)
      const stored = await h.store.put(ctx, streamOf(bytes), { maxBytes: size })
      assert.deepEqual({ ...stored, location: '' }, { location: '', size, md5: hash('md5', bytes), sha512: hash('sha512', bytes) })
      assert.ok((await read(stored.location)).equals(bytes))
      assert.equal((await h.store.list(ctx)).find(blob => blob.location === stored.location)?.size, size)
      if (h.store.localPath) assert.ok((await readFile(h.store.localPath(stored.location))).equals(bytes))
      assert.deepEqual(await h.leftovers(), [])
    })

    test('gives ranges, both ends included', async () => {
      const bytes = bytesOf(3 * MIB)
      bytes.write('needle', 2 * MIB - 3)
      const { location } = await h.store.put(ctx, streamOf(bytes), endless)
      assert.equal((await read(location, { start: 2 * MIB - 3, end: 2 * MIB + 2 })).toString(), 'needle')
      assert.ok((await read(location, { start: 1, end: bytes.length - 1 })).equals(bytes.subarray(1)))
      assert.equal((await read(location, { start: 0, end: 0 })).length, 1)
    })

    test('keeps equal content once, also when it comes twice at the same time', async () => {
      const bytes = bytesOf(5 * MIB)
      const [one, two] = await Promise.all([h.store.put(ctx, streamOf(bytes), endless), h.store.put(ctx, streamOf(bytes, 777), endless)])
      const three = await h.store.put(ctx, streamOf(bytes), endless)
      assert.deepEqual(one, two)
      assert.deepEqual(one, three)
      assert.equal(await listed(one.location), 1)
      assert.deepEqual(await h.leftovers(), [])
    })

    test('keeps several streams apart', async () => {
      const all = Array.from({ length: 5 }, (_x, i) => bytesOf(5 * MIB + i * 333_333))
      const stored = await Promise.all(all.map(bytes => h.store.put(ctx, streamOf(bytes), endless)))
      for (const [i, { location, md5 }] of stored.entries()) {
        assert.equal(md5, hash('md5', all[i]!))
        assert.ok((await read(location)).equals(all[i]!))
      }
    })

    for (const size of [100, 5 * MIB, 12 * MIB]) test(`stops at the limit of ${size} bytes and takes no more`, async () => {
      let sent = 0
      const body = Readable.from((function* () { for (;;) { sent += 64 * KIB; yield Buffer.alloc(64 * KIB, sent) } })())
      await refused(() => h.store.put(ctx, body, { maxBytes: size }), error => isFault(error, 'tooLarge') && error.message.includes(String(size)))
      assert.ok(sent <= size + 4 * MIB, `${sent} bytes were taken`)
      assert.equal(body.destroyed, false)
      body.destroy()
    })

    for (const size of [10, 3 * MIB, 15 * MIB]) test(`keeps nothing of a stream that breaks after ${size} bytes`, async () => {
      const bytes = bytesOf(size)
      const broken = Readable.from((async function* () { yield* streamOf(bytes); throw new Error('connection reset') })())
      await refused(() => h.store.put(ctx, broken, endless), error => isFault(error, 'badRequest') && error.type === 'BrokenUpload')
      const closed = new Readable({ read() { this.push(bytes); this.destroy() } })
      await refused(() => h.store.put(ctx, closed, endless), error => isFault(error, 'badRequest'))
    })

    test('passes on a Fault that the stream carries', () => refused(
      () => h.store.put(ctx, Readable.from((async function* () { yield bytesOf(10); throw conflict('Deleted meanwhile') })()), endless), error => isFault(error, 'conflict')))

    test('shows the first bytes before it keeps any', async () => {
      const bytes = bytesOf(6 * MIB)
      let seen: Buffer[] = []
      const look = { ...endless, inspectBytes: 3.25 * MIB, inspect: (first: Buffer) => { seen.push(first) } }
      for (const part of [bytes, bytes.subarray(0, 3.25 * MIB), bytes.subarray(0, 7), bytes.subarray(0, 0)]) {
        seen = []
        await h.store.put(ctx, streamOf(part), look)
        assert.equal(seen.length, 1)
        assert.ok(seen[0]!.equals(part.subarray(0, 3.25 * MIB)))
      }
      for (const size of [7, 6 * MIB]) {
        await refused(() => h.store.put(ctx, streamOf(bytesOf(size)), { ...look, inspect: () => { throw conflict('not wanted') } }), error => isFault(error, 'conflict'))
      }
      await refused(() => h.store.put(ctx, streamOf(bytesOf(7)), { ...look, inspect: () => { throw new RangeError('a bug') } }), error => error instanceof RangeError)
    })

    test('calls keep once the bytes are in place; if that fails, new bytes go and old ones stay', async () => {
      const bytes = bytesOf(100)
      await refused(() => h.store.put(ctx, streamOf(bytes), { ...endless, async keep({ location }) {
        assert.ok((await read(location)).equals(bytes))
        throw conflict('Deleted meanwhile')
      } }), error => isFault(error, 'conflict'))
      const { location } = await h.store.put(ctx, streamOf(bytes), endless)
      await assert.rejects(h.store.put(ctx, streamOf(bytes), { ...endless, keep: async () => { throw conflict('no') } }), error => isFault(error, 'conflict'))
      assert.ok((await read(location)).equals(bytes))
    })

    test('removes nothing while somebody writes down that he uses it', async () => {
      const bytes = bytesOf(100)
      let uses = 0, removing: Promise<void> | undefined
      const { location } = await h.store.put(ctx, streamOf(bytes), { ...endless, async keep(stored) {
        removing = h.store.remove(ctx, stored.location, async () => uses === 0)
        await new Promise(resolve => setImmediate(resolve))
        assert.ok((await read(stored.location)).equals(bytes))
        uses = 1
      } })
      await removing
      assert.ok((await read(location)).equals(bytes))
      uses = 0
      await h.store.remove(ctx, location, async () => uses === 0)
      await assert.rejects(read(location), error => isFault(error, 'notFound'))
      await h.store.remove(ctx, location, async () => true)
      assert.equal(await listed(location), 0)
    })

    test('what is not there, or is no location, is not found; removing it is fine', async () => {
      for (const location of ['0'.repeat(128), '', '..', '../../etc/passwd', 'abc', `${'0'.repeat(127)}/`]) {
        await assert.rejects(h.store.get(ctx, location), error => isFault(error, 'notFound'), location)
        await h.store.remove(ctx, location, async () => true)
      }
    })

    test('a reader that goes away in the middle disturbs nobody', async () => {
      const bytes = bytesOf(8 * MIB)
      const { location } = await h.store.put(ctx, streamOf(bytes), endless)
      const stream = await h.store.get(ctx, location)
      for await (const _chunk of stream) break
      assert.equal(stream.destroyed, true)
      assert.ok((await read(location)).equals(bytes))
    })
  })
}

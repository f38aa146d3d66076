// Unpacking what strangers packed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { conflict, isFault } from '#base/errors.ts'
import { unpack } from './unpack.ts'

const bounds = { maxBytes: 100 * 1024 ** 2, maxRatio: 10 }
const plain = Buffer.from(Array.from({ length: 300_000 }, (_x, i) => (i * i) % 251))
const slices = (bytes: Buffer, size: number): Readable => Readable.from((function* () { for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size) })())

test('gzip and zstd are unpacked, in whatever pieces they come', async () => {
  for (const packed of [gzipSync(plain), zstdCompressSync(plain), Buffer.concat([gzipSync(plain.subarray(0, 1000)), gzipSync(plain.subarray(1000))])]) for (const size of [1, 7777, 1 << 20]) assert.ok((await buffer(unpack(slices(packed, size), bounds))).equals(plain))
})

test('a bomb is stopped long before its end', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 ** 2))
  let out = 0
  const read = async (over: Partial<typeof bounds>): Promise<void> => { for await (const chunk of unpack(slices(bomb, 1 << 16), { ...bounds, ...over })) out += chunk.length }
  await assert.rejects(read({}), (error) => isFault(error, 'tooLarge') && /10 times/.test(error.message))
  assert.ok(out < 24 * 1024 ** 2, `${out} bytes came out`)
  await assert.rejects(read({ maxBytes: 1000 }), (error) => isFault(error, 'tooLarge') && /1000 bytes/.test(error.message))
})

test('what is damaged, cut off, packed otherwise or not at all is refused', async () => {
  const gzip = gzipSync(plain), damaged = Buffer.from(gzip)
  damaged.fill(0xff, 200, 300)
  for (const bytes of [gzip.subarray(0, gzip.length - 50), damaged, zstdCompressSync(plain).subarray(0, 100), brotliCompressSync(plain), plain, Buffer.alloc(0), Buffer.from('\xfd7zXZ\0', 'latin1'), Buffer.from('BZh9'), Buffer.from('PK\x03\x04')]) {
    await assert.rejects(buffer(unpack(slices(bytes, 4096), bounds)), (error) => isFault(error, 'badRequest'))
  }
})

test('a fault of the source is its own', async () => {
  const source = Readable.from((async function* () { yield gzipSync(plain).subarray(0, 100); throw conflict('Deleted meanwhile') })())
  await assert.rejects(buffer(unpack(source, bounds)), (error) => isFault(error))
})

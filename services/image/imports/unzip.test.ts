// Zip archives: of one file, as programs of all kinds write them, and as nobody should.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { crc32, deflateRawSync } from 'node:zlib'
import { isFault } from '#base/errors.ts'
import { unpack } from './unpack.ts'

const bounds = { maxBytes: 100 * 1024 ** 2, maxRatio: 10 }
const plain = Buffer.from(Array.from({ length: 100_000 }, (_x, i) => (i * i) % 251))
const slices = (bytes: Buffer, size: number): Readable => Readable.from((function* () { for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size) })())
const unpacked = (bytes: Buffer, size = 4096, over: Partial<typeof bounds> = {}): Promise<Buffer> => buffer(unpack(slices(bytes, size), { ...bounds, ...over }))

/** Numbers of so many bytes each, lowest first. */
const le = (...pairs: [value: number, bytes: 2 | 4 | 8][]): Buffer => Buffer.concat(pairs.map(([value, bytes]) => {
  const out = Buffer.alloc(8)
  out.writeBigUInt64LE(BigInt(value))
  return out.subarray(0, bytes)
}))

interface Making {
  files?: number, method?: 0 | 8 | 12, flags?: number, /** Sizes stand behind the bytes. */ follow?: boolean, /** Sizes of 64 bits. */ large?: boolean, comment?: string, between?: Buffer, descriptorMark?: boolean
  crc?: number, listedCrc?: number, listedBytes?: number, entries?: number, data?: Buffer
}
function zip({ files = 1, method = 8, flags = 0, follow = false, large = false, comment = '', between = Buffer.alloc(0), descriptorMark = true, data = plain, crc = crc32(data), listedCrc = crc, listedBytes = data.length, entries = files }: Making = {}): Buffer {
  const packed = method === 8 ? deflateRawSync(data) : data, name = Buffer.from('../../etc/passwd'), all = flags | (follow ? 8 : 0)
  const sizes = (bytes: number): [Buffer, Buffer] => large ? [le([0xffffffff, 4], [0xffffffff, 4]), le([1, 2], [16, 2], [bytes, 8], [packed.length, 8])] : [le([packed.length, 4], [bytes, 4]), Buffer.alloc(0)]
  const head = (bytes: number, sum: number, none: boolean): [Buffer, Buffer] => {
    const [fields, extra] = none ? [Buffer.alloc(8), Buffer.alloc(0)] : sizes(bytes)
    return [Buffer.concat([le([20, 2], [all, 2], [method, 2], [0, 4], [none ? 0 : sum, 4]), fields, le([name.length, 2], [extra.length, 2])]), extra]
  }
  const [fields, extra] = head(data.length, crc, follow), [listed, listedExtra] = head(listedBytes, listedCrc, false)
  const descriptor = follow ? Buffer.concat([descriptorMark ? le([0x08074b50, 4]) : Buffer.alloc(0), large ? le([crc, 4], [packed.length, 8], [data.length, 8]) : le([crc, 4], [packed.length, 4], [data.length, 4])]) : Buffer.alloc(0)
  const one = Buffer.concat([le([0x04034b50, 4]), fields, name, extra, packed, descriptor])
  const before = Buffer.concat([...Array.from({ length: files }, () => one), between])
  const directory = Buffer.concat(Array.from({ length: files }, () => Buffer.concat([le([0x02014b50, 4], [20, 2]), listed, le([0, 2], [0, 2], [0, 2], [0, 4], [0, 4]), name, listedExtra])))
  const largeEnd = large ? Buffer.concat([
    le([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [entries, 8], [entries, 8], [directory.length, 8], [before.length, 8]), le([0x07064b50, 4], [0, 4], [before.length + directory.length, 8], [1, 4]),
  ]) : Buffer.alloc(0)
  const end = le([0x06054b50, 4], [0, 2], [0, 2], [large ? 0xffff : entries, 2], [large ? 0xffff : entries, 2], [directory.length, 4], [large ? 0xffffffff : before.length, 4], [comment.length, 2])
  return Buffer.concat([before, directory, largeEnd, end, Buffer.from(comment)])
}

test('one file, stored or deflated, its sizes before or behind it, small or large, in whatever pieces', async () => {
  for (const making of [
    {}, { method: 0 }, { follow: true }, { follow: true, descriptorMark: false }, { large: true }, { large: true, method: 0 }, { large: true, follow: true }, { comment: 'PK\x05\x06 is the mark of the end' },
    { data: Buffer.alloc(0) }, { data: Buffer.alloc(0), method: 0 }, { data: Buffer.from('x'), follow: true },
  ] as Making[]) for (const size of [61, 4096, 1 << 20]) assert.ok((await unpacked(zip(making), size)).equals(making.data ?? plain), JSON.stringify(making).slice(0, 80))
})

test('the file may end wherever a piece does', async () => {
  for (const making of [{}, { follow: true }] as Making[]) {
    const archive = zip({ ...making, data: plain.subarray(0, 500) }), end = 46 + deflateRawSync(plain.subarray(0, 500)).length
    for (const at of [end - 1, end, end + 1]) assert.ok((await buffer(unpack(Readable.from([archive.subarray(0, at), archive.subarray(at)]), bounds))).equals(plain.subarray(0, 500)))
  }
})

test('what is not one file, is encrypted, packed otherwise, damaged or cut off is refused', async () => {
  const refused = async (archive: Buffer, why: RegExp): Promise<void> => { await assert.rejects(unpacked(archive), (error) => isFault(error, 'badRequest') && why.test(error.message), String(why)) }
  for (const [making, why] of [
    [{ files: 2 }, /more than one file/], [{ files: 2, follow: true }, /more than one file/], [{ files: 2, method: 0 }, /more than one file/], [{ entries: 2 }, /more than one file/], [{ entries: 0 }, /more than one file/],
    [{ flags: 1 }, /encrypted/], [{ flags: 64 }, /encrypted/], [{ flags: 8192 }, /encrypted/], [{ method: 12 }, /neither stored nor deflated/], [{ method: 0, follow: true }, /without its size/],
    [{ crc: 5 }, /damaged/], [{ crc: 5, large: true, follow: true }, /damaged/], [{ listedCrc: 5 }, /damaged/], [{ listedBytes: 5 }, /damaged/], [{ between: Buffer.alloc(40) }, /damaged/], [{ between: Buffer.alloc(40), follow: true }, /damaged/],
    [{ between: Buffer.alloc(2 * 1024 ** 2) }, /more than one file/],
  ] as [Making, RegExp][]) await refused(zip(making), why)
  await refused(zip({ files: 0 }), /no file/)
  const archive = zip()
  for (const bytes of [archive.subarray(0, 4), archive.subarray(0, 40), archive.subarray(0, 300), archive.subarray(0, archive.length - 1), archive.subarray(0, archive.length - 60), Buffer.concat([archive, Buffer.from('more')])]) await refused(bytes, /damaged/)
  // Every byte of what is around the file may be anything: nothing but refusals, or the file.
  const small = zip({ data: Buffer.from('a few bytes'), large: true })
  for (let at = 4; at < small.length; at++) for (const value of [0, 0xff, small[at]! ^ 1]) {
    const changed = Buffer.from(small)
    changed[at] = value
    await unpacked(changed).then((bytes) => assert.equal(bytes.toString(), 'a few bytes'), (error: unknown) => assert.ok(isFault(error), `byte ${at}: ${error}`))
  }
})

test('a bomb is stopped long before its end, whatever it says of itself', async () => {
  for (const making of [{}, { follow: true }, { listedBytes: 10 }] as Making[]) {
    const bomb = zip({ ...making, data: Buffer.alloc(64 * 1024 ** 2) })
    let out = 0
    await assert.rejects((async () => { for await (const chunk of unpack(slices(bomb, 1 << 16), bounds)) out += chunk.length })(), (error) => isFault(error, 'tooLarge') && /10 times/.test(error.message))
    assert.ok(out < 24 * 1024 ** 2, `${out} bytes came out`)
    await assert.rejects(unpacked(bomb, 1 << 16, { maxBytes: 1000 }), (error) => isFault(error, 'tooLarge') && /1000 bytes/.test(error.message))
  }
})

// Unpacking a zip archive of exactly one file while it comes: its local header first, then its bytes, stored or deflated, then the directory, which must say the same of it.
// Names, times and attributes are not looked at. Every length is bounded; how much may come out is bounded by whoever reads.
import { crc32, createInflateRaw } from 'node:zlib'
import { badRequest } from '#base/errors.ts'
import { MIB } from '#base/units.ts'

const localMark = 0x04034b50, directoryMark = 0x02014b50, endMark = 0x06054b50, largeEndMark = 0x06064b50
const largeEndLocatorMark = 0x07064b50
const stored = 0, deflated = 8
/** Flags: encrypted in one way or another; sizes follow the bytes. */
const encrypted = 1 | 1 << 6 | 1 << 13, sizesFollow = 1 << 3
/** More than the largest directory of one file, with its longest names and comments. */
const mostAfterFile = MIB

const refused = (why: string): Error => badRequest(`The zip archive cannot be unpacked: ${why}.`)
const damaged = (): Error => badRequest('The compressed image is damaged.')

/** Bytes taken from the front of what comes in whatever pieces. */
class Source {
  /** Bytes taken so far. */
  taken = 0
  /** What was given back, the first of it last. */
  readonly #waiting: Buffer[] = []
  readonly #chunks: AsyncIterator<Buffer>

  constructor(chunks: AsyncIterator<Buffer>) { this.#chunks = chunks }

  /** The next bytes as they come, `most` at most; undefined at the end. */
  async some(most = Infinity): Promise<Buffer | undefined> {
    let chunk = this.#waiting.pop()
    while (!chunk?.length) {
      const next = await this.#chunks.next()
      if (next.done) return undefined
      chunk = next.value
    }
    this.taken += chunk.length
    if (chunk.length > most) this.giveBack(chunk.subarray(most))
    return chunk.subarray(0, most)
  }

  giveBack(bytes: Buffer): void {
    this.taken -= bytes.length
    if (bytes.length > 0) this.#waiting.push(bytes)
  }

  async exactly(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let missing = bytes; missing > 0; missing -= parts.at(-1)!.length) {
      const part = await this.some(missing)
      if (!part) throw damaged()
      parts.push(part)
    }
    return Buffer.concat(parts)
  }
}

interface Entry { flags: number, method: number, crc: number, packedBytes: number, bytes: number }

const wholeNumber = (value: bigint): number => {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged()
  return Number(value)
}

/** The sizes an entry states; those that do not fit are in its extra field, in the order in which they are missing. */
function sizesOf(bytes: number, packedBytes: number, extra: Buffer): { bytes: number, packedBytes: number } {
  if (bytes !== 0xffffffff && packedBytes !== 0xffffffff) return { bytes, packedBytes }
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) !== 1) continue
    let next = 0
    const large = (small: number): number => {
      if (small !== 0xffffffff) return small
      if (field.length < next + 8) throw damaged()
      return wholeNumber(field.readBigUInt64LE((next += 8) - 8))
    }
    return { bytes: large(bytes), packedBytes: large(packedBytes) }
  }
  throw damaged()
}

async function localHeader(source: Source): Promise<Entry> {
  const mark = (await source.exactly(4)).readUInt32LE()
  if (mark === endMark) throw refused('there is no file in it')
  if (mark !== localMark) throw damaged()
  const header = await source.exactly(26)
  const flags = header.readUInt16LE(2), method = header.readUInt16LE(4), crc = header.readUInt32LE(10)
  await source.exactly(header.readUInt16LE(22)) // its name
  const extra = await source.exactly(header.readUInt16LE(24))
  if (flags & encrypted) throw refused('it is encrypted')
  if (method !== stored && method !== deflated) throw refused('its file is neither stored nor deflated')
  if (flags & sizesFollow) {
    // Where stored bytes end, only the directory would tell, which comes last.
    if (method === stored) throw refused('its file is stored without its size before it')
    return { flags, method, crc, packedBytes: Infinity, bytes: Infinity }
  }
  return { flags, method, crc, ...sizesOf(header.readUInt32LE(18), header.readUInt32LE(14), extra) }
}

/** What comes out of the next `most` bytes, or of as many as belong to it: what is behind its end stays in the source. */
async function* inflated(source: Source, most: number): AsyncGenerator<Buffer> {
  const from = source.taken, inflate = createInflateRaw({ chunkSize: 256 * 1024 })
  const over = new Promise<void>((resolve) => { inflate.once('end', resolve).once('close', resolve) })
  let last: Buffer = Buffer.alloc(0)
  const feed = async (): Promise<void> => {
    // Bytes behind the end are not consumed: that tells where it is.
    while (!inflate.destroyed && source.taken - from === inflate.bytesWritten) {
      const chunk = await source.some(most - (source.taken - from))
      if (!chunk || chunk.length === 0) return void inflate.end()
      last = chunk
      await Promise.race([new Promise<void>((written) => { inflate.write(chunk, () => written()) }), over])
    }
  }
  const feeding = feed().catch((error: Error) => { inflate.destroy(error) })
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) yield chunk
  } finally {
    inflate.destroy()
    await feeding
  }
  const unused = source.taken - from - inflate.bytesWritten
  if (unused > last.length) throw damaged()
  source.giveBack(last.subarray(last.length - unused))
}

async function* storedBytes(source: Source, bytes: number): AsyncGenerator<Buffer> {
  for (let missing = bytes; missing > 0;) {
    const chunk = await source.some(missing)
    if (!chunk) throw damaged()
    missing -= chunk.length
    yield chunk
  }
}

/** All that is left. */
async function rest(source: Source): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let size = 0, part = await source.some(); part; part = await source.some()) {
    if ((size += part.length) > mostAfterFile) throw refused('there is more than one file in it')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Where the directory's end record is: behind it there is its comment and nothing else. */
function endOf(tail: Buffer): number {
  for (let at = tail.length - 22; at >= 0; at--) if (tail.readUInt32LE(at) === endMark && at + 22 + tail.readUInt16LE(at + 20) === tail.length) return at
  throw damaged()
}

/** The one entry of the directory. `startsAt`: where in the archive the tail begins. */
function directoryEntry(tail: Buffer, startsAt: number): Entry & { at: number } {
  const end = endOf(tail)
  let entries = tail.readUInt16LE(end + 10), offset = tail.readUInt32LE(end + 16)
  if (end >= 20 && tail.readUInt32LE(end - 20) === largeEndLocatorMark) {
    const at = wholeNumber(tail.readBigUInt64LE(end - 20 + 8)) - startsAt
    if (at < 0 || at + 56 > tail.length || tail.readUInt32LE(at) !== largeEndMark) throw damaged()
    entries = wholeNumber(tail.readBigUInt64LE(at + 32))
    offset = wholeNumber(tail.readBigUInt64LE(at + 48))
  }
  if (entries !== 1) throw refused('there is more than one file in it')
  const at = offset - startsAt
  if (at < 0 || at + 46 > tail.length || tail.readUInt32LE(at) !== directoryMark) throw damaged()
  const extraAt = at + 46 + tail.readUInt16LE(at + 28), extra = tail.subarray(extraAt, extraAt + tail.readUInt16LE(at + 30))
  const sizes = sizesOf(tail.readUInt32LE(at + 24), tail.readUInt32LE(at + 20), extra)
  return { at, flags: tail.readUInt16LE(at + 8), method: tail.readUInt16LE(at + 10), crc: tail.readUInt32LE(at + 16), ...sizes }
}

/** The bytes of the archive's one file. Throws badRequest for what is no such archive, at the latest behind its last byte. */
export async function* unzip(chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  const source = new Source(chunks), local = await localHeader(source), from = source.taken
  let bytes = 0, crc = 0
  for await (const chunk of local.method === stored ? storedBytes(source, local.packedBytes) : inflated(source, local.packedBytes)) {
    bytes += chunk.length
    crc = crc32(chunk, crc)
    yield chunk
  }
  const packedBytes = source.taken - from, tail = await rest(source)
  if (tail.length >= 4 && tail.readUInt32LE(0) === localMark) throw refused('there is more than one file in it')
  const listed = directoryEntry(tail, from + packedBytes), follows = (local.flags & sizesFollow) !== 0
  // Between the file and the directory there is nothing but the sizes that follow.
  const between = follows ? listed.at <= 24 : listed.at === 0
  const same = listed.method === local.method && listed.crc === crc && listed.bytes === bytes && listed.packedBytes === packedBytes
  if (!between || !same || (!follows && (local.crc !== crc || local.bytes !== bytes || local.packedBytes !== packedBytes))) throw damaged()
}

// Unpacking what a stranger packed: gzip, zstd and zip, by the first bytes, with a bound on what comes out and on how many times larger it is than what went in.
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createZstdDecompress } from 'node:zlib'
import { chunksOf } from '#base/chunks.ts'
import { badRequest, Fault, isFault, tooLarge } from '#base/errors.ts'
import { longestMark, packingOf } from '../formats/containers.ts'
import { unpackedFreely } from '../config.ts'
import { unzip } from './unzip.ts'

/** How large it may become, in bytes and as a multiple of what came. */
export interface UnpackBounds { maxBytes: number, maxRatio: number }

/** What a transform makes of the chunks. */
const by = (make: () => Transform) => async function* (chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const transform = make()
  const feeding = pipeline(chunks, transform).catch(() => {}) // the reader below sees it
  try {
    for await (const chunk of transform as AsyncIterable<Buffer>) yield chunk
  } finally {
    transform.destroy()
    await feeding
  }
}
const unpackers: Record<string, (chunks: AsyncGenerator<Buffer>) => AsyncGenerator<Buffer>> = {
  gzip: by(() => createGunzip({ chunkSize: 256 * 1024 })),
  // A window larger than 128 MiB is refused, not allocated.
  zstd: by(() => createZstdDecompress({ chunkSize: 256 * 1024, params: { [constants.ZSTD_d_windowLogMax]: 27 } })),
  zip: unzip,
}

/** Whether what begins so is packed, and in a way that is known here. */
export const canUnpack = (first: Buffer): boolean => Object.hasOwn(unpackers, packingOf(first) ?? '')

/** As many of the first bytes as tell how they are packed: who uploads piece by piece may begin with a single one. */
async function beginning(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0)
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    bytes = Buffer.concat([bytes, next.value])
    if (bytes.length >= longestMark) break
  }
  return bytes
}

/** The unpacked bytes. The stream fails with badRequest for what cannot be unpacked, with tooLarge for what becomes too much. */
export function unpack(packed: Readable, { maxBytes, maxRatio }: UnpackBounds): Readable {
  async function* unpacked(): AsyncGenerator<Buffer> {
    let read = 0, written = 0
    const chunks = chunksOf(packed)[Symbol.asyncIterator](), first = await beginning(chunks)
    const kind = packingOf(first), make = kind === undefined ? undefined : unpackers[kind]
    if (!make) {
      packed.destroy()
      throw badRequest(kind === undefined ? 'The image is not compressed.' : `Images packed with ${kind} cannot be unpacked here; gzip, zstd and zip can.`)
    }
    async function* counted(): AsyncGenerator<Buffer> {
      read = first.length
      yield first
      for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
        read += chunk.value.length
        yield chunk.value
      }
    }
    try {
      for await (const chunk of make(counted())) {
        written += chunk.length
        if (written > maxBytes) throw tooLarge(`The unpacked image is larger than the ${maxBytes} bytes that are allowed.`)
        if (written > unpackedFreely + read * maxRatio) throw new Fault('tooLarge', `The image becomes more than ${maxRatio} times larger when it is unpacked.`)
        yield chunk
      }
    } catch (error) {
      throw isFault(error) ? error : badRequest('The compressed image is damaged.', { cause: error })
    } finally {
      packed.destroy()
    }
  }
  return Readable.from(unpacked(), { objectMode: false, highWaterMark: 1024 ** 2 })
}

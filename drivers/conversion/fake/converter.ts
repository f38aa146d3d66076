// Conversion that only pretends: what comes out names both formats and holds the bytes that went in.
import { Readable } from 'node:stream'
import { chunksOf, tooMuch, whileWanted } from '#base/chunks.ts'
import { badRequest } from '#base/errors.ts'
import type { Converter } from '../contract.ts'

export const fakeConverter = (): Converter => ({
  name: 'fake',
  async convert(_ctx, { disk, from, to, maxBytes, signal }, take) {
    const bytes = Buffer.concat(await whileWanted(signal, disk, () => Array.fromAsync(chunksOf(disk))))
    if (bytes.length > maxBytes) throw tooMuch(maxBytes)
    if (bytes.includes('unconvertible')) throw badRequest(`The image could not be converted from ${from} to ${to}.`, { type: 'ConversionFailed' })
    return whileWanted(signal, Readable.from([Buffer.from(`${from} to ${to}: `), bytes], { objectMode: false }), take)
  },
})

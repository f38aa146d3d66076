// What every converter must do. A driver's own test calls conversionSuite() with a way to make it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { plainContext } from '#base/context.ts'
import { conflict, isFault } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import type { Converter } from './contract.ts'

export interface ConversionHarness {
  converter: Converter
  /** A disk that cannot be converted, and its declared format. */
  broken: { bytes: Buffer, from: 'qcow2' }
  leftovers(): Promise<string[]>
  close(): Promise<void>
}
const ctx = plainContext()
const disk = (): Readable => Readable.from([Buffer.alloc(MIB, 7), Buffer.alloc(MIB, 9)])

export function conversionSuite(name: string, make: () => Promise<ConversionHarness>): void {
  describe(`converter ${name}`, () => {
    let h: ConversionHarness
    before(async () => { h = await make() })
    after(() => h?.close())

    test('gives a disk in another format, and leaves nothing', async () => {
      const bytes = await h.converter.convert(ctx, { disk: disk(), from: 'raw', to: 'qcow2', maxBytes: 16 * MIB }, buffer)
      assert.ok(bytes.length > 0)
      assert.ok(!bytes.equals(Buffer.concat([Buffer.alloc(MIB, 7), Buffer.alloc(MIB, 9)])))
      assert.deepEqual(await h.leftovers(), [])
    })

    test('refuses what it cannot read, and what is too big, and leaves nothing', async () => {
      await assert.rejects(h.converter.convert(ctx, { disk: Readable.from([h.broken.bytes]), from: h.broken.from, to: 'raw', maxBytes: 16 * MIB }, buffer), error => isFault(error, 'badRequest'))
      await assert.rejects(h.converter.convert(ctx, { disk: disk(), from: 'raw', to: 'qcow2', maxBytes: MIB }, buffer), error => isFault(error, 'tooLarge'))
      assert.deepEqual(await h.leftovers(), [])
    })

    test('stops at once when nobody waits any more: while the disk comes, and while the result is taken', { timeout: 20_000 }, async () => {
      for (const when of ['before', 'coming', 'taken']) {
        const stop = new AbortController(), endless = new PassThrough()
        endless.write('a little')
        if (when === 'before') stop.abort()
        if (when === 'coming') endless.once('data', () => setImmediate(() => stop.abort()))
        const taking = async (result: Readable): Promise<Buffer> => { stop.abort(); return buffer(result) }
        await assert.rejects(h.converter.convert(ctx, { disk: when === 'taken' ? disk() : endless, from: 'raw', to: 'qcow2', maxBytes: 16 * MIB, signal: stop.signal }, taking), when)
        assert.deepEqual(await h.leftovers(), [], when)
      }
    })

    test('passes on what the taker, or the stream, throws', async () => {
      await assert.rejects(h.converter.convert(ctx, { disk: disk(), from: 'raw', to: 'raw', maxBytes: 16 * MIB }, async () => { throw conflict('not wanted') }), error => isFault(error, 'conflict'))
      const broken = Readable.from((async function* () { yield Buffer.alloc(10); throw conflict('Deleted meanwhile') })())
      await assert.rejects(h.converter.convert(ctx, { disk: broken, from: 'raw', to: 'qcow2', maxBytes: 16 * MIB }, buffer), error => isFault(error, 'conflict'))
      assert.deepEqual(await h.leftovers(), [])
    })
  })
}

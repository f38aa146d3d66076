// Containers by their first bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { isFault } from '#base/errors.ts'
import { examine } from './examine.ts'
import { isTar, packingOf } from './containers.ts'

function tar(mark = true): Buffer {
  const header = Buffer.alloc(1024)
  header.write('layer.tar')
  header.write('0000644\0', 100)
  if (mark) header.write('ustar', 257)
  header.fill(' ', 148, 156)
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
const accepts = (containerFormat: string, bytes: Buffer, diskFormat = 'raw'): boolean => {
  try { examine({ containerFormat, diskFormat }, bytes); return true } catch (error) { assert.ok(isFault(error, 'unsupportedMediaType')); return false }
}
const ovf = Buffer.from('\ufeff<?xml version="1.0"?>\n<ovf:Envelope xmlns:ovf="x">')

test('each container is known by its content, and no other passes for it', () => {
  const contents: Record<string, Buffer> = { tar: tar(), old: tar(false), gzip: gzipSync('x'), zstd: zstdCompressSync(Buffer.from('x')), ovf, plain: Buffer.from('plain bytes'), empty: Buffer.alloc(0) }
  const passing: Record<string, string[]> = { ova: ['tar', 'old'], docker: ['tar', 'old', 'gzip', 'zstd'], ovf: ['tar', 'old', 'ovf'], compressed: ['gzip', 'zstd'], bare: Object.keys(contents), aki: Object.keys(contents) }
  for (const [container, names] of Object.entries(passing)) for (const [name, bytes] of Object.entries(contents)) assert.equal(accepts(container, bytes), names.includes(name), `${name} as ${container}`)
})

test('the disk inside a bare image is looked into as well', () => {
  assert.equal(accepts('bare', Buffer.from('plain'), 'qcow2'), false)
  assert.equal(accepts('ova', tar(), 'vmdk'), true)
  assert.equal(examine({ containerFormat: 'ova', diskFormat: 'vmdk' }, tar()), null)
})

test('no bytes make them throw anything else', () => {
  let seed = 7
  const random = (below: number): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) % below
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: random(700) }, () => random(256)))
    isTar(bytes)
    packingOf(bytes)
    for (const container of ['ova', 'docker', 'ovf', 'compressed']) accepts(container, bytes)
  }
  assert.equal(accepts('ovf', Buffer.from(`<${'a:'.repeat(30_000)}`)), false)
})

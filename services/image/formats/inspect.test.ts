// The parser against headers built by hand: what is accepted, what is refused and why, and that no bytes at all make it throw or hang.
import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { isFault } from '#base/errors.ts'
import { GIB, KIB, MIB } from '#base/units.ts'
import { inspect, refuse } from './inspect.ts'

const put = (bytes: Buffer, at: number, what: Buffer | string): void => { Buffer.from(what as string, 'latin1').copy(bytes, at) }

function qcow2(over: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(64 * KIB)
  put(bytes, 0, 'QFI\xfb')
  bytes.writeUInt32BE(3, 4)
  bytes.writeUInt32BE(16, 20)
  bytes.writeBigUInt64BE(BigInt(GIB), 24)
  bytes.writeUInt32BE(104, 100)
  over(bytes)
  return bytes
}

const descriptor = '# Disk DescriptorFile\nversion=1\nCID=d993de71\nparentCID=ffffffff\ncreateType="monolithicSparse"\n\n# Extent description\nRW 2097152 SPARSE "disk.vmdk"\n\n#DDB\nddb.adapterType = "ide"\n'
function vmdk(text = descriptor, over: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(64 * KIB)
  put(bytes, 0, 'KDMV')
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(2097152n, 12)
  bytes.writeBigUInt64LE(1n, 28)
  bytes.writeBigUInt64LE(20n, 36)
  bytes.writeBigUInt64LE(150n, 56)
  put(bytes, 512, text)
  over(bytes)
  return bytes
}

function vdi(over: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(512)
  put(bytes, 0x40, '\x7f\x10\xda\xbe')
  bytes.writeUInt32LE(0x10001, 0x44)
  bytes.writeUInt32LE(1, 0x4c)
  bytes.writeBigUInt64LE(BigInt(GIB), 0x170)
  over(bytes)
  return bytes
}

function vhd(kind = 3): Buffer {
  const bytes = Buffer.alloc(512)
  put(bytes, 0, 'conectix')
  bytes.writeBigUInt64BE(BigInt(GIB), 48)
  bytes.writeUInt32BE(kind, 60)
  return bytes
}

const id = (hex: string): Buffer => Buffer.from(hex, 'hex')
function vhdx(over: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(3 * MIB)
  put(bytes, 0, 'vhdxfile')
  put(bytes, 192 * KIB, 'regi')
  bytes.writeUInt32LE(2, 192 * KIB + 8)
  id('06a27c8b90479a4bb8fe575f050f886e').copy(bytes, 192 * KIB + 16 + 32)
  bytes.writeBigUInt64LE(BigInt(2 * MIB), 192 * KIB + 16 + 32 + 16)
  put(bytes, 2 * MIB, 'metadata')
  bytes.writeUInt16LE(2, 2 * MIB + 10)
  id('3767a1ca36fa434db3b633f0aa44e76b').copy(bytes, 2 * MIB + 32)
  bytes.writeUInt32LE(65_536, 2 * MIB + 32 + 16)
  id('2442a52f1bcd7648b2115dbed83bf4b8').copy(bytes, 2 * MIB + 64)
  bytes.writeUInt32LE(65_544, 2 * MIB + 64 + 16)
  bytes.writeBigUInt64LE(BigInt(GIB), 2 * MIB + 65_544)
  over(bytes)
  return bytes
}

function iso(over: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(40 * KIB)
  put(bytes, 32 * KIB, '\x01CD001\x01')
  bytes.writeUInt32LE(1000, 32 * KIB + 80)
  bytes.writeUInt16LE(2048, 32 * KIB + 128)
  over(bytes)
  return bytes
}

const partitioned = (): Buffer => { const bytes = Buffer.alloc(4 * KIB); put(bytes, 510, '\x55\xaa'); put(bytes, 512, 'EFI PART'); return bytes }
const text = (content: string): Buffer => Buffer.from(content, 'latin1')
const good = { qcow2: qcow2(), vmdk: vmdk(), vdi: vdi(), vhd: vhd(), vhdx: vhdx(), iso: iso() }
const refusal = (declared: string, bytes: Buffer): string => {
  try { refuse(declared, inspect(bytes)) } catch (error) {
    assert.ok(isFault(error, 'unsupportedMediaType'), String(error))
    return error.message
  }
  return 'accepted'
}

describe('image formats', () => {
  for (const [format, bytes] of Object.entries(good)) test(`${format} is known, with the size of its disk`, () => {
    const seen = inspect(bytes)
    assert.equal(seen.format, format)
    assert.deepEqual(seen.problems, [])
    assert.equal(seen.virtualSize, format === 'iso' ? 2_048_000 : GIB)
    assert.equal(refusal(format, bytes), 'accepted')
  })

  test('what is none of them is raw, also with partitions, encrypted, or short', () => {
    for (const bytes of [Buffer.alloc(0), text('x'), Buffer.alloc(3 * MIB), partitioned(), text('#!/bin/sh\n'), text('LUKS\xba\xbe\0\x02')]) assert.equal(refusal('raw', bytes), 'accepted')
    assert.equal(inspect(partitioned()).format, 'raw')
    assert.equal(inspect(text('LUKS\xba\xbe\0\x01')).format, 'luks')
    assert.equal(refusal('ami', Buffer.alloc(2048)), 'accepted')
    assert.equal(refusal('raw', iso(bytes => put(bytes, 510, '\x55\xaa'))), 'accepted')
  })

  test('content that is not what was declared is refused, naming both', () => {
    for (const declared of ['raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx', 'iso', 'ploop', 'ami']) for (const [format, bytes] of Object.entries(good)) {
      if (declared !== format) assert.match(refusal(declared, bytes), new RegExp(`does not match.*${declared} was declared, ${format} was found`))
    }
    for (const declared of ['qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx', 'iso', 'ploop']) assert.match(refusal(declared, Buffer.alloc(2048)), /raw was found/)
    assert.match(refusal('raw', text('QED\0')), /qed was found/)
    assert.match(refusal('vhd', Buffer.alloc(2048)), /fixed size/)
  })

  const qcow2Wrongs: [string, (bytes: Buffer) => void, RegExp][] = [
    ['a backing file', bytes => bytes.writeBigUInt64BE(104n, 8), /backing file/],
    ['the length of a backing file\'s name', bytes => bytes.writeUInt32BE(9, 16), /backing file/],
    ['a data file', bytes => bytes.writeBigUInt64BE(4n, 72), /data file/],
    ['a data file\'s name', bytes => { bytes.writeUInt32BE(0x6803f857, 104); bytes.writeUInt32BE(3, 108); bytes.writeUInt32BE(0x44415441, 120) }, /data file/],
    ['the corrupt bit', bytes => bytes.writeBigUInt64BE(2n, 72), /corrupt/],
    ['an unknown feature', bytes => bytes.writeBigUInt64BE(1n << 60n, 72), /features/],
    ['encryption', bytes => bytes.writeUInt32BE(2, 32), /encrypted/],
    ['an old version', bytes => bytes.writeUInt32BE(1, 4), /version 1/],
    ['huge clusters', bytes => bytes.writeUInt32BE(40, 20), /clusters/],
    ['an absurd size', bytes => bytes.writeBigUInt64BE(2n ** 63n, 24), /more than any/],
    ['an impossible header', bytes => bytes.writeUInt32BE(90, 100), /header/],
  ]
  for (const [what, over, message] of qcow2Wrongs) test(`qcow2 with ${what} is refused`, () => assert.match(refusal('qcow2', qcow2(over)), message))
  test('qcow2 of version 2, dirty or compressed with zstd is accepted', () => {
    assert.equal(refusal('qcow2', qcow2(bytes => { bytes.writeUInt32BE(2, 4); bytes.writeUInt32BE(0, 100) }).subarray(0, 72)), 'accepted')
    assert.equal(refusal('qcow2', qcow2(bytes => bytes.writeBigUInt64BE(9n, 72))), 'accepted')
  })
  test('headers that are cut off are refused', () => {
    for (const [format, bytes] of Object.entries(good)) {
      const most = { qcow2: 103, vmdk: 600, vdi: 511, vhd: 511, vhdx: 2 * MIB, iso: 32 * KIB + 100 }[format]!
      assert.match(refusal(format, bytes.subarray(0, most)), /cut off/, format)
    }
  })

  const vmdkWrongs: [string, Buffer, RegExp][] = [
    ['descriptor only', text(descriptor), /only a descriptor/],
    ['several files', vmdk(descriptor.replace('monolithicSparse', 'twoGbMaxExtentSparse')), /type twogbmaxextentsparse/],
    ['a table at the end', vmdk(descriptor, bytes => bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56)), /at the end/],
    ['a flat extent', vmdk(descriptor.replace('SPARSE "disk.vmdk"', 'FLAT "/etc/shadow" 0')), /not kept in the image/],
    ['an extent with a path', vmdk(descriptor.replace('disk.vmdk', '/etc/shadow')), /path/],
    ['an extent above', vmdk(descriptor.replace('disk.vmdk', '..')), /path/],
    ['two extents', vmdk(`${descriptor}RW 1 SPARSE "b.vmdk"\n`), /2 extents/],
    ['no extent', vmdk(descriptor.replace(/RW.*/, '')), /0 extents/],
    ['a parent', vmdk(descriptor.replace('ffffffff', '12345678')), /parent/],
    ['a parent in a comment', vmdk(`${descriptor}# parentFileNameHint="/etc/shadow"\n`), /parent/],
    ['a type in a comment', vmdk(`# createType="vmfs"\n${descriptor}`), /createType twice/],
    ['a strange line', vmdk(`${descriptor}hello there\n`), /not understood/],
    ['bytes that are no text', vmdk(`${descriptor}\x01\n`), /plain text/],
    ['a second descriptor behind a zero', vmdk(`${descriptor}\0RW 1 FLAT "/etc/shadow" 0`), /hides/],
    ['no capacity', vmdk(descriptor, bytes => bytes.writeBigUInt64LE(0n, 12)), /no data of its own/],
    ['a descriptor elsewhere', vmdk(descriptor, bytes => bytes.writeBigUInt64LE(7n, 28)), /where it belongs/],
    ['a descriptor without end', vmdk(descriptor, bytes => bytes.writeBigUInt64LE(2n ** 60n, 36)), /too long/],
    ['the ESX kind', text(`COWD${'\0'.repeat(600)}`), /ESX/],
  ]
  test('vmdk as VMware exports it is accepted, with its table at the end or not', () => {
    const streamed = descriptor.replace('monolithicSparse', 'streamOptimized')
    assert.equal(refusal('vmdk', vmdk(streamed)), 'accepted')
    assert.equal(refusal('vmdk', vmdk(streamed, bytes => bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56))), 'accepted')
  })
  for (const [what, bytes, message] of vmdkWrongs) test(`vmdk with ${what} is refused`, () => assert.match(refusal('vmdk', bytes), message))

  test('disks with parents are refused: vdi, vhd, vhdx', () => {
    assert.match(refusal('vdi', vdi(bytes => bytes.writeUInt32LE(4, 0x4c))), /another image/)
    assert.match(refusal('vdi', vdi(bytes => bytes.writeUInt32LE(4, 0x1b8))), /another image/)
    assert.match(refusal('vhd', vhd(4)), /parent/)
    assert.match(refusal('vhdx', vhdx(bytes => bytes.writeUInt32LE(2, 2 * MIB + 65_540))), /parent/)
    assert.match(refusal('vhdx', vhdx(bytes => bytes.writeUInt32LE(4000, 192 * KIB + 8))), /too many/)
    assert.match(refusal('vhdx', vhdx(bytes => bytes.writeBigUInt64LE(2n ** 63n, 192 * KIB + 64))), /cut off/)
  })

  test('one file that is two formats is refused', () => {
    assert.match(refusal('iso', Buffer.concat([qcow2().subarray(0, 32 * KIB), iso().subarray(32 * KIB)])), /does not match|more than one/)
    assert.match(refusal('qcow2', Buffer.concat([qcow2().subarray(0, 32 * KIB), iso().subarray(32 * KIB)])), /qcow2 and iso was found/)
  })

  test('no bytes make it throw anything but a Fault, or hang', () => {
    let seed = 42
    const random = (below: number): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) % below
    for (const [format, bytes] of Object.entries(good)) {
      const interesting = format === 'vhdx' ? [0, 192 * KIB, 2 * MIB, 2 * MIB + 65_536] : format === 'iso' ? [0, 32 * KIB] : [0]
      const rounds = format === 'vhdx' ? 200 : 2000
      for (let round = 0; round < rounds; round++) {
        const hurt = Buffer.from(bytes)
        for (let i = random(12); i >= 0; i--) hurt[interesting[random(interesting.length)]! + random(1024)] = [0, 0xff, 0x7f, 0x80, random(256)][random(5)]!
        refusal(format, hurt.subarray(0, random(3) === 0 ? random(hurt.length) : hurt.length))
      }
    }
    for (let round = 0; round < 500; round++) refusal('qcow2', Buffer.from(Array.from({ length: random(600) }, () => random(256))))
    // Lines that would make a careless pattern try every way.
    for (const line of [`a=${' '.repeat(500_000)}"x`, `${'a'.repeat(500_000)}=`, `RW ${'1'.repeat(500_000)}`, `RW ${' '.repeat(500_000)}x`, '\n'.repeat(500_000)]) {
      const bytes = Buffer.alloc(2 * MIB)
      vmdk().copy(bytes)
      bytes.writeBigUInt64LE(2000n, 36)
      put(bytes, 512, descriptor + line)
      assert.notEqual(refusal('vmdk', bytes), '')
    }
  })
})

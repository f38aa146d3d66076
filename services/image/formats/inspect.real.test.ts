// The parser against what qemu-img really writes. Needs qemu-utils.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, open, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GIB } from '#base/units.ts'
import { retry } from '#base/retry.ts'
import { exec } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { isoImage } from '#host/iso.ts'
import { inspect, inspectBytes, refuse } from './inspect.ts'
import type { Inspection } from './inspect.ts'

let home: string
before(async () => { home = await mkdtemp(join(tmpdir(), 'pileus-formats-')) })
after(() => removeTree(home))

const look = async (path: string): Promise<Inspection> => {
  const file = await open(path)
  const bytes = Buffer.alloc(inspectBytes)
  const { bytesRead } = await file.read(bytes, 0, inspectBytes, 0)
  await file.close()
  return inspect(bytes.subarray(0, bytesRead))
}
const make = async (name: string, ...args: string[]): Promise<Inspection> => {
  const path = join(home, name)
  // Where it derives a key, qemu-img times itself first, and gives up when a busy machine gives it no clear answer.
  await retry(() => exec('qemu-img', ['create', '-q', ...args, path, '1G']), { firstMs: 200, maxMs: 2000, attempts: 8 })
  return look(path)
}

describe('image formats as qemu-img writes them', () => {
  const accepted: [string, string, string[]][] = [
    ['qcow2', 'qcow2', ['-f', 'qcow2']], ['qcow2', 'qcow2 version 2', ['-f', 'qcow2', '-o', 'compat=0.10']], ['qcow2', 'qcow2 with zstd', ['-f', 'qcow2', '-o', 'compression_type=zstd']],
    ['vmdk', 'vmdk', ['-f', 'vmdk']], ['vmdk', 'vmdk, streamed', ['-f', 'vmdk', '-o', 'subformat=streamOptimized']], ['vdi', 'vdi', ['-f', 'vdi']], ['vdi', 'vdi, fixed', ['-f', 'vdi', '-o', 'static=on']], ['vhd', 'vhd', ['-f', 'vpc', '-o', 'force_size=on']],
    ['vhdx', 'vhdx', ['-f', 'vhdx']], ['ploop', 'parallels', ['-f', 'parallels']], ['raw', 'raw', ['-f', 'raw']],
  ]
  for (const [format, name, args] of accepted) test(name, async () => {
    const seen = await make(name.replaceAll(/\W/g, '-'), ...args)
    assert.equal(seen.format, format)
    assert.deepEqual(seen.problems, [])
    if (format !== 'raw') assert.equal(seen.virtualSize, GIB)
    refuse(format, seen)
  })

  test('qed, encrypted, backed and split ones are refused', async () => {
    await make('base.raw', '-f', 'raw')
    const base = join(home, 'base.raw')
    const qed = await make('qed', '-f', 'qed')
    assert.throws(() => refuse('raw', qed), /qed was found/)
    const backed = await make('backed', '-f', 'qcow2', '-b', base, '-F', 'raw')
    assert.throws(() => refuse('qcow2', backed), /backing file/)
    const external = await make('external', '-f', 'qcow2', '-o', `data_file=${join(home, 'data')},data_file_raw=on`)
    assert.throws(() => refuse('qcow2', external), /data file/)
    const secret = await make('secret', '-f', 'qcow2', '--object', 'secret,id=s,data=abcd', '-o', 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=300')
    assert.throws(() => refuse('qcow2', secret), /encrypted/)
    for (const subformat of ['monolithicFlat', 'twoGbMaxExtentSparse']) {
      const split = await make(`${subformat}.vmdk`, '-f', 'vmdk', '-o', `subformat=${subformat}`)
      assert.throws(() => refuse('vmdk', split), /not accepted/, subformat)
    }
    const child = await make('child.vmdk', '-f', 'vmdk', '-b', join(home, 'vmdk'), '-F', 'vmdk')
    assert.throws(() => refuse('vmdk', child), /parent/)
  })

  test('luks and a CD', async () => {
    const luks = await make('luks', '-f', 'luks', '--object', 'secret,id=s,data=abcd', '-o', 'key-secret=s,iter-time=300')
    assert.equal(luks.format, 'luks')
    refuse('raw', luks)
    await writeFile(join(home, 'cd.iso'), isoImage({ 'a/b': Buffer.from('c') }, 'config-2'))
    const cd = await look(join(home, 'cd.iso'))
    assert.equal(cd.format, 'iso')
    assert.ok(cd.virtualSize! > 0)
    refuse('iso', cd)
  })
})

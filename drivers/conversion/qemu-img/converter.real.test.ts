// The suite over the real tool, and that it runs as nobody. Needs qemu-utils, and root for the uid.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import { exec } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { conversionSuite } from '../suite.ts'
import { openQemuImg } from './converter.ts'

const ctx = plainContext(), uid = 654_321
conversionSuite('qemu-img', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-convert-'))
  await exec('chmod', ['711', dir])
  return { converter: await openQemuImg({ dir, uid }), broken: { bytes: Buffer.alloc(MIB, 1), from: 'qcow2' }, leftovers: () => readdir(dir), close: () => removeTree(dir) }
})

describe('conversion by qemu-img', () => {
  let dir: string
  before(async () => { dir = await mkdtemp(join(tmpdir(), 'pileus-convert-')); await exec('chmod', ['711', dir]) })
  after(() => removeTree(dir))

  test('every format becomes raw again, byte for byte, by another user than root', async () => {
    const converter = await openQemuImg({ dir: join(dir, 'scratch'), uid })
    const content = Buffer.alloc(4 * MIB, 'some bytes that repeat, '), source = join(dir, 'source.raw')
    await writeFile(source, content)
    for (const [format, word, ...options] of [['qcow2', 'qcow2'], ['vmdk', 'vmdk'], ['vdi', 'vdi'], ['vhd', 'vpc', '-o', 'force_size=on'], ['vhdx', 'vhdx']] as const) {
      const path = join(dir, format)
      await exec('qemu-img', ['convert', '-f', 'raw', '-O', word, ...options, source, path])
      const owners: number[] = []
      const bytes = await converter.convert(ctx, { disk: Readable.from([await readFile(path)]), from: format, to: 'raw', maxBytes: 64 * MIB }, async (result) => {
        for (const name of await readdir(join(dir, 'scratch'))) owners.push((await stat(join(dir, 'scratch', name, 'out'))).uid)
        return buffer(result)
      })
      assert.ok(bytes.subarray(0, content.length).equals(content), format)
      assert.deepEqual(owners, [process.getuid?.() === 0 ? uid : process.getuid?.()])
    }
  })

  test('a cloud may lie where nobody else may go', async () => {
    const closed = join(dir, 'closed'), content = Buffer.alloc(MIB, 'x')
    await mkdir(closed, { mode: 0o700 })
    const converter = await openQemuImg({ dir: join(closed, 'scratch'), uid })
    const bytes = await converter.convert(ctx, { disk: Readable.from([content]), from: 'raw', to: 'raw', maxBytes: 4 * MIB }, buffer)
    assert.ok(bytes.equals(content))
  })

  test('a small image of a huge disk does not fill the machine', async () => {
    const converter = await openQemuImg({ dir: join(dir, 'scratch'), uid }), path = join(dir, 'huge')
    await exec('qemu-img', ['create', '-q', '-f', 'qcow2', path, '900G'])
    await assert.rejects(converter.convert(ctx, { disk: Readable.from([await readFile(path)]), from: 'qcow2', to: 'raw', maxBytes: 64 * MIB }, buffer), error => isFault(error))
    assert.deepEqual(await readdir(join(dir, 'scratch')), [])
  })
})

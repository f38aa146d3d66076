import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isoImage } from '#host/iso.ts'
import { exec } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'

const home = await mkdtemp(join(tmpdir(), 'pileus-iso-'))
after(() => removeTree(home))

/** Reads a file the way a kernel does: descriptor, root, folders by name, extent. Independent of the writer's own structures. */
function readFrom(image: Buffer, path: string, joliet: boolean): Buffer {
  const descriptor = image.subarray((joliet ? 17 : 16) * 2048)
  let at = descriptor.readUInt32LE(156 + 2), bytes = descriptor.readUInt32LE(156 + 10)
  for (const part of path.split('/')) {
    let found: [number, number] | undefined
    for (let offset = 0; offset < bytes;) {
      const record = image.subarray(at * 2048 + offset), length = record[0] as number
      if (length === 0) { offset = (Math.floor(offset / 2048) + 1) * 2048; continue }
      assert.equal(record.readUInt32LE(2), record.readUInt32BE(6))
      assert.ok(offset % 2048 + length <= 2048, 'a record crosses a sector')
      const raw = record.subarray(33, 33 + (record[32] as number))
      const name = (joliet ? fromBigEndian(raw) : raw.toString('latin1')).replace(/;1$/, '')
      if (name === part) found = [record.readUInt32LE(2), record.readUInt32LE(10)]
      offset += length
    }
    assert.ok(found, `${part} of ${path} is not there`)
    ;[at, bytes] = found
  }
  return image.subarray(at * 2048, at * 2048 + bytes)
}
/** The one-byte names 0 and 1 mean the folder itself and its parent. */
const fromBigEndian = (raw: Buffer): string => raw.length % 2 === 0 ? Buffer.from(raw).swap16().toString('utf16le') : ''

const files: Record<string, Buffer> = {
  'openstack/latest/meta_data.json': Buffer.from('{"a":1}'), 'openstack/latest/user_data': Buffer.from('#!/bin/sh\n'.repeat(1000)), 'openstack/2018-08-27/meta_data.json': Buffer.from('x'),
  'ec2/latest/a-name-that-does-not-fit-into-thirty-one-characters.json': Buffer.from('long'), 'empty': Buffer.alloc(0), 'Ünï/çödé': Buffer.from('u'),
  ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`openstack/content/${String(i).padStart(4, '0')}`, Buffer.from(`file ${i}`)])),
}

test('every file is found by its name and has its bytes', () => {
  const image = isoImage(files, 'config-2')
  assert.equal(image.length % 2048, 0)
  for (const [path, bytes] of Object.entries(files)) assert.deepEqual(readFrom(image, path, true), bytes, path)
  assert.deepEqual(readFrom(image, 'openstack/latest/user_data', false), files['openstack/latest/user_data'])
  assert.equal(image.toString('latin1', 16 * 2048 + 40, 16 * 2048 + 72).trim(), 'config-2')
})

test('other readers agree', async t => {
  const path = join(home, 'cd.iso')
  await writeFile(path, isoImage(files, 'config-2'))
  const blkid = await exec('blkid', ['-o', 'value', '-s', 'LABEL', path]).catch(() => undefined)
  if (blkid) assert.equal(blkid.stdout.trim(), 'config-2')
  const content = await exec('isoinfo', ['-i', path, '-J', '-x', '/openstack/content/0123;1']).catch(() => undefined)
  if (content) assert.equal(content.stdout, 'file 123')
  if (!blkid || !content) t.diagnostic('blkid or isoinfo is not installed: not everything was compared')
})

test('a small one is long enough for readers that look at its first 68 KiB', () => {
  assert.ok(isoImage({ a: Buffer.from('b') }, 'config-2').length >= 0x11000)
})

test('names that cannot be', () => {
  assert.throws(() => isoImage({ 'a/../b': Buffer.alloc(1) }, 'x'))
  assert.throws(() => isoImage({ a: Buffer.alloc(1), 'a/b': Buffer.alloc(1) }, 'x'))
  assert.throws(() => isoImage({ a: Buffer.alloc(1), '/a': Buffer.alloc(1) }, 'x'))
})

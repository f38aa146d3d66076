// Images, by the unmodified `openstack` client: bytes in, hashes verified, bytes out.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo, dir } = c
const hash = (kind: string, bytes: Buffer): string => createHash(kind).update(bytes).digest('hex')

test('raw: created with its bytes, hashes right, saved the same', async () => {
  const bytes = randomBytes(3 * 1024 ** 2 + 17)
  writeFileSync(join(dir, 'a.raw'), bytes)
  await demo('image create raw1 --disk-format raw --container-format bare --min-disk 1 --min-ram 64 --property os_distro=alpine --tag small --file', join(dir, 'a.raw'))
  const shown = await demo.json('image show raw1')
  assert.equal(shown.status, 'active')
  assert.equal(shown.size, bytes.length)
  assert.equal(shown.checksum, hash('md5', bytes))
  assert.equal(shown.properties.os_hash_algo, 'sha512')
  assert.equal(shown.properties.os_hash_value, hash('sha512', bytes))
  assert.equal(shown.properties.os_distro, 'alpine')
  assert.deepEqual([shown.min_disk, shown.min_ram, shown.visibility, shown.tags], [1, 64, 'shared', ['small']])
  await demo('image save raw1 --file', join(dir, 'back.raw'))
  assert.deepEqual(readFileSync(join(dir, 'back.raw')), bytes)
})

test('qcow2: inspected, hashed, its virtual size known', async () => {
  const file = join(dir, 'b.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '64M'])
  await demo('image create qcow1 --disk-format qcow2 --container-format bare --file', file)
  const shown = await demo.json('image show qcow1')
  assert.equal(shown.status, 'active')
  assert.equal(shown.checksum, hash('md5', readFileSync(file)))
  assert.equal(shown.virtual_size ?? shown.properties.virtual_size, 64 * 1024 ** 2)
  await demo('image save qcow1 --file', join(dir, 'back.qcow2'))
  assert.deepEqual(readFileSync(join(dir, 'back.qcow2')), readFileSync(file))
})

test('what is not what it says is refused, and nothing of it is kept', async () => {
  writeFileSync(join(dir, 'bad.qcow2'), randomBytes(100_000))
  await demo.fails('image create bad1 --disk-format qcow2 --container-format bare --file', join(dir, 'bad.qcow2'))
  const backed = join(dir, 'backed.qcow2')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', join(dir, 'b.qcow2'), '-F', 'qcow2', backed])
  await demo.fails('image create bad2 --disk-format qcow2 --container-format bare --file', backed)
  for (const row of await demo.json('image list --long')) if (/^bad/.test(row.Name)) assert.equal(row.Status, 'queued')
})

test('list, set, unset, delete', async () => {
  assert.ok(column(await demo.json('image list'), 'Name').includes('pileus-guest'))
  assert.deepEqual(column(await demo.json('image list --shared'), 'Name').sort().filter((n) => !/^bad/.test(String(n))), ['qcow1', 'raw1'])
  assert.deepEqual(column(await demo.json('image list --name raw1 --status active'), 'Name'), ['raw1'])
  assert.deepEqual(column(await demo.json('image list --tag small'), 'Name'), ['raw1'])
  assert.deepEqual(column(await demo.json('image list --property os_distro=alpine'), 'Name'), ['raw1'])
  assert.equal((await demo.json('image list --limit 1')).length, 1)
  await demo('image set raw1 --name raw2 --min-ram 128 --property colour=red --tag extra --protected')
  const set = await demo.json('image show raw2')
  assert.deepEqual([set.min_ram, set.protected, set.properties.colour, set.tags.sort()], [128, true, 'red', ['extra', 'small']])
  assert.match(await demo.fails('image delete raw2'), /protected/)
  await demo('image set raw2 --unprotected')
  await demo('image unset raw2 --property colour --tag extra')
  const unset = await demo.json('image show raw2')
  assert.deepEqual([unset.properties.colour, unset.tags], [undefined, ['small']])
  await demo('image delete raw2 qcow1')
  assert.match(await demo.fails('image show raw2'), /No Image found/)
})

test('deactivate, and members of a shared image', async () => {
  const id = (await demo.json('image create shared1 --shared --disk-format raw --container-format bare --file', join(dir, 'a.raw'))).id
  await demo('image add project shared1', c.cloud.seeded.adminProjectId)
  assert.deepEqual(column(await demo.json('image member list shared1'), 'Status'), ['pending'])
  await admin('image set --accept', id)
  await demo('image remove project shared1', c.cloud.seeded.adminProjectId)
  await demo('image set --deactivate', id)
  await demo.fails('image save shared1 --file', join(dir, 'never.raw'))
  await demo('image set --activate', id)
  await demo('image delete shared1')
})

test('only an administrator makes an image public', async () => {
  await demo.fails('image create pub --public --disk-format raw --container-format bare --file', join(dir, 'a.raw'))
  await admin('image create pub --public --disk-format raw --container-format bare --file', join(dir, 'a.raw'))
  assert.ok(column(await demo.json('image list --public'), 'Name').includes('pub'))
  await admin('image delete pub')
})

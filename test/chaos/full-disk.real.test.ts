// A disk that is full, images first, then the database: clear errors while it lasts, and afterwards everything goes on. Needs root, for a small filesystem of its own.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { MIB } from '#base/units.ts'
import { testCloud, type TestCloud } from '../cloud.ts'
import { audit, quiet } from './audit.ts'
import { hold } from './gate.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root to mount a small filesystem'

/** A cloud in a filesystem of so many MiB. */
async function onSmallDisk(t: TestContext, mebibytes: number): Promise<{ dir: string, cloud: TestCloud }> {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'pileus-test', dir])
  let cloud: TestCloud | undefined
  t.after(async () => {
    await cloud?.stop()
    execFileSync('umount', [dir])
    await rm(dir, { recursive: true })
  })
  cloud = await testCloud({ stateDir: dir, database: { engine: 'sqlite', file: join(dir, 'pileus.db') } })
  return { dir, cloud }
}
/** Takes all the room there is; answers what gives it back. */
async function fill(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'ballast'), file = await open(path, 'w')
  for (const bytes of [MIB, 4096, 1]) {
    try { for (;;) { const { bytesWritten } = await file.write(Buffer.alloc(bytes)); if (bytesWritten < bytes) break } } catch (error) { assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC') }
  }
  await file.close()
  return () => rm(path)
}
async function nothingWrong(cloud: TestCloud): Promise<void> {
  await cloud.runner.idle()
  await quiet(cloud)
  assert.deepEqual(await audit(cloud), [])
}

test('the images\' disk is full', { skip }, async (t) => {
  const { dir, cloud } = await onSmallDisk(t, 24)
  const token = await cloud.login()
  const files = async (): Promise<string> => (await readdir(join(dir, 'images'), { recursive: true })).sort().join()
  const before = await files()
  const { body: { id } } = await cloud.http(token, 'POST', '/image/v2/images', { name: 'i', disk_format: 'raw', container_format: 'bare' })
  const upload = (size: number) => fetch(`${cloud.url}/image/v2/images/${id}/file`, { method: 'PUT', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream' }, body: Buffer.alloc(size, 1) })
  const refused = await upload(32 * MIB)
  assert.ok([413, 503, 507].includes(refused.status), String(refused.status))
  assert.match(await refused.text(), /space|full|storage/i)
  await waitFor('the image to be queued again', async () => ((await cloud.http(token, 'GET', `/image/v2/images/${id}`)).body.status === 'queued' ? true : undefined), 20_000, 5)
  assert.equal(await files(), before)
  assert.equal((await upload(MIB)).status, 204)
  await nothingWrong(cloud)
})

test('the database\'s disk is full', { skip }, async (t) => {
  const { dir, cloud } = await onSmallDisk(t, 24)
  const token = await cloud.login()
  const old = await cloud.boot(token)
  await cloud.settled(token, old, 'ACTIVE')
  const gate = hold(cloud.hypervisor, 'ensure')
  const building = await cloud.boot(token)
  await gate.reached

  const empty = await fill(dir)
  gate.release()
  // Until one of them notices: the log of the database may have room left within what it already has.
  const refused: number[] = []
  for (let n = 0; n < 2000 && refused.length < 5; n++) {
    const { status, body } = await cloud.http(token, 'POST', `/compute/v2.1/servers/${old}/metadata`, { metadata: { [`k${n % 100}`]: 'x'.repeat(250) } })
    if (status === 200) continue
    refused.push(status)
    assert.equal(status, 503, JSON.stringify(body))
  }
  assert.equal(refused.length, 5, 'the disk never was full')
  // Reading goes on.
  assert.equal((await cloud.http(token, 'GET', `/compute/v2.1/servers/${old}`)).status, 200)
  const { status } = await cloud.http(token, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }] } })
  assert.equal(status, 503)

  await empty()
  assert.equal((await cloud.settled(token, building, 'ACTIVE', 'ERROR')).status, 'ACTIVE')
  const after = await cloud.boot(token)
  await cloud.settled(token, after, 'ACTIVE')
  for (const id of [old, building, after]) await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)
  for (const id of [old, building, after]) await cloud.gone(token, id)
  await nothingWrong(cloud)
})

// Two control planes over one database that share the directory of images: what comes in through one goes out, is imported and is deleted through the other, and what one that is
// killed was at is brought to its end, or is as if it had never begun. In the end nothing lies in the directory that nobody refers to.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { mkdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { MIB } from '#base/units.ts'
import { openStore, parseStoreUrl, type Store } from '#kit/store/store.ts'
import { testConfig } from '../cloud.ts'
import { startPlane, type Plane } from '../plane.ts'
import { startPostgres, type SqlServer } from '../servers/postgres.ts'
import { scratch } from '../servers/process.ts'
import { startRabbitmq, type RabbitmqServer } from '../servers/rabbitmq.ts'

const secrets = { adminPassword: 'admin-pass', demoPassword: 'demo-pass', sealKey: randomBytes(32) }
const place = scratch('planes-images'), home = join(place.dir, 'shared')
let sql: SqlServer, broker: RabbitmqServer, url: string, store: Store, one: Plane, two: Plane, token: string, site: Server, source: string
/** What the web site answers last, once it is let go. */
let letGo: () => void, asked = 0

const plane = (host: string): Promise<Plane> => {
  const dir = join(place.dir, host)
  mkdirSync(dir, { recursive: true })
  return startPlane(testConfig(dir, {
    host, secrets, database: parseStoreUrl(url), bus: { transport: 'rabbitmq', url: broker.url }, heartbeatMs: 1_000, maxImageBytes: 256 * MIB,
    images: { home, webDownload: { ports: { allow: [(site.address() as AddressInfo).port] }, networks: { allow: ['127.0.0.1/32'] } } },
  }))
}
before(async () => {
  const released = new Promise<void>((resolve) => { letGo = resolve })
  site = createServer((_req, res) => {
    asked++
    res.write('from the ')
    void released.then(() => res.end('web'))
  })
  await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening))
  source = `http://127.0.0.1:${(site.address() as AddressInfo).port}/image`;
  [sql, broker] = await Promise.all([startPostgres(`${place.dir}/sql`), startRabbitmq(`${place.dir}/broker`)])
  url = await sql.database()
  store = await openStore(parseStoreUrl(url))
  ;[one, two] = await Promise.all([plane('host-1'), plane('host-2')])
  token = await one.login()
})
after(async () => {
  await Promise.all([one?.kill(), two?.kill()])
  site?.close()
  site?.closeAllConnections()
  await store?.close()
  await Promise.all([sql?.stop(), broker?.stop()])
  place.remove()
})

const make = async (through: Plane): Promise<string> => (await through.http(token, 'POST', '/image/v2/images', { name: 'x', disk_format: 'raw', container_format: 'bare' })).body.id
const send = async (through: Plane, method: string, path: string, body: Readable, headers: Record<string, string> = {}): Promise<number> =>
  (await fetch(`${through.url}/image/v2/images/${path}`, { method, body: Readable.toWeb(body) as never, duplex: 'half', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream', ...headers } } as RequestInit)).status
const upload = (through: Plane, id: string, bytes: Buffer): Promise<number> => send(through, 'PUT', `${id}/file`, Readable.from([bytes]))
const download = async (through: Plane, id: string): Promise<Buffer> => {
  const reply = await fetch(`${through.url}/image/v2/images/${id}/file`, { headers: { 'x-auth-token': token } })
  assert.equal(reply.status, 200)
  return Buffer.from(await reply.arrayBuffer())
}
const show = async (through: Plane, id: string): Promise<any> => (await through.http(token, 'GET', `/image/v2/images/${id}`)).body
const remove = async (through: Plane, id: string): Promise<void> => assert.equal((await through.http(token, 'DELETE', `/image/v2/images/${id}`)).status, 204)
const bring = async (through: Plane, id: string, method: Record<string, unknown>): Promise<number> => (await through.http(token, 'POST', `/image/v2/images/${id}/import`, { method })).status
const settled = (through: Plane, id: string, status = 'active', ms = 30_000): Promise<any> => waitFor(`image ${id} to be ${status}`, async () => { const image = await show(through, id); return image.status === status ? image : undefined }, ms, 50)

/** Files below the shared directory: what is kept, staged, coming, aside. */
async function files(): Promise<{ kept: number, staged: number, other: string[] }> {
  const all = (await readdir(home, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
  const isBlob = (path: string): boolean => /^[0-9a-f]{2}\/[0-9a-f]{128}$/.test(path.replace(/^staging\//, ''))
  return { kept: all.filter((path) => isBlob(path) && !path.startsWith('staging/')).length, staged: all.filter((path) => isBlob(path) && path.startsWith('staging/')).length, other: all.filter((path) => !isBlob(path)) }
}
/** Nothing but the seeded image, and so many more. */
const comesTo = (kept: number, ms = 20_000): Promise<unknown> => waitFor(`${kept} images' bytes and no others`, async () => {
  const found = await files()
  return found.kept === kept + 1 && found.staged === 0 && found.other.length === 0 ? found : undefined
}, ms, 100).catch(async (error: Error) => { throw new Error(`${error.message}: ${JSON.stringify(await files())}`) })

describe('two control planes with one directory of images, on PostgreSQL', () => {
  test('what is uploaded through one is read through the other, to its end though it is deleted meanwhile', async () => {
    const bytes = randomBytes(48 * MIB), id = await make(one)
    assert.equal(await upload(one, id, bytes), 204)
    assert.ok((await download(two, id)).equals(bytes))
    const reply = await fetch(`${two.url}/image/v2/images/${id}/file`, { headers: { 'x-auth-token': token } }), reader = reply.body!.getReader(), got = [(await reader.read()).value!]
    await remove(one, id)
    await comesTo(0)
    for (let next = await reader.read(); !next.done; next = await reader.read()) got.push(next.value)
    assert.ok(Buffer.concat(got).equals(bytes))
    assert.equal((await two.http(token, 'GET', `/image/v2/images/${id}`)).status, 404)
  })

  test('equal bytes, brought and deleted through both at once: whoever is told that they are there has them', async () => {
    const bytes = randomBytes(2 * MIB)
    for (let round = 0; round < 4; round++) {
      const old = await make(two)
      assert.equal(await upload(two, old, bytes), 204)
      const ids = await Promise.all(Array.from({ length: 6 }, (_x, i) => make(i % 2 ? one : two)))
      const done = await Promise.all([remove(one, old), ...ids.map((id, i) => upload(i % 2 ? two : one, id, bytes))])
      assert.deepEqual(done.slice(1), Array(6).fill(204))
      // Half of them go while the other half is read.
      await Promise.all(ids.map(async (id, i) => { if (i < 3) await remove(i % 2 ? one : two, id); else assert.ok((await download(i % 2 ? one : two, id)).equals(bytes)) }))
      await comesTo(1)
      for (const id of ids.slice(3)) assert.ok((await download(one, id)).equals(bytes))
      await Promise.all(ids.slice(3).map((id, i) => remove(i % 2 ? one : two, id)))
      await comesTo(0)
    }
  })

  test('pieces come through either, and the import through the other', async () => {
    const pieces = Array.from({ length: 6 }, () => randomBytes(MIB)), id = await make(one)
    for (const [i, piece] of pieces.entries()) {
      assert.equal(await send(i % 2 ? one : two, 'PATCH', `${id}/stage`, Readable.from([piece]), { 'upload-offset': String(i * MIB), 'upload-complete': i === 5 ? '?1' : '?0' }), 204)
    }
    // Both ask; one import is begun.
    assert.deepEqual((await Promise.all([bring(one, id, { name: 'glance-direct' }), bring(two, id, { name: 'glance-direct' })])).sort(), [202, 409])
    await settled(one, id)
    assert.ok((await download(one, id)).equals(Buffer.concat(pieces)))
    await remove(two, id)
    await comesTo(0)
  })

  test('an import that one is at is stopped by a deletion through the other', async () => {
    const id = await make(one)
    assert.equal(await bring(one, id, { name: 'web-download', uri: source }), 202)
    await waitFor('the site to be asked', async () => asked || undefined, 10_000)
    await remove(two, id)
    await comesTo(0)
  })

  test('one is killed at an upload, a piece, a deletion and imports: the other ends what can be ended, and takes away the rest', async (t) => {
    const bytes = randomBytes(4 * MIB), halves = Array.from({ length: 3 }, () => new PassThrough())
    const [kept, deleted, uploading, staging, piece, staged, web] = await Promise.all(Array.from({ length: 7 }, () => make(two))) as [string, string, string, string, string, string, string]
    assert.deepEqual([await upload(one, kept, bytes), await upload(one, deleted, randomBytes(MIB))], [204, 204])
    assert.equal(await send(one, 'PATCH', `${piece}/stage`, Readable.from(['the first, ']), { 'upload-offset': '0' }), 204)
    assert.equal(await send(one, 'PUT', `${staged}/stage`, Readable.from([randomBytes(64 * MIB)])), 204)
    for (const half of halves) half.write(randomBytes(MIB))
    const broken = [send(one, 'PUT', `${uploading}/file`, halves[0]!), send(one, 'PUT', `${staging}/stage`, halves[1]!), send(one, 'PATCH', `${piece}/stage`, halves[2]!, { 'upload-offset': '11' })].map((sending) => sending.catch(() => 'broken'))
    await waitFor('all three to be on their way', async () => (await files()).other.length === 3 || undefined, 10_000)
    asked = 0
    assert.deepEqual([await bring(one, web, { name: 'web-download', uri: source }), await bring(one, staged, { name: 'glance-direct' })], [202, 202])
    await waitFor('the site to be asked', async () => asked || undefined, 10_000)
    await remove(one, deleted)
    await one.kill()
    const killedAt = Date.now()
    assert.deepEqual(await Promise.all(broken), ['broken', 'broken', 'broken'])
    letGo()
    assert.ok((await download(two, kept)).equals(bytes))
    // Its piece did not count: the upload goes on through the other at once.
    assert.equal(await send(two, 'PATCH', `${piece}/stage`, Readable.from(['the second']), { 'upload-offset': '11', 'upload-complete': '?1' }), 204)
    assert.equal(await bring(two, piece, { name: 'glance-direct' }), 202)
    await settled(two, piece)
    assert.equal((await download(two, piece)).toString(), 'the first, the second')

    assert.equal((await settled(two, staged, 'active', 150_000)).size, 64 * MIB)
    assert.equal((await settled(two, web, 'active', 150_000)).size, 12)
    t.diagnostic(`imports were taken over and ended after ${Date.now() - killedAt} ms`)
    assert.equal((await download(two, web)).toString(), 'from the web')
    for (const id of [uploading, staging]) await settled(two, id, 'queued', 150_000)
    t.diagnostic(`uploads were queued again after ${Date.now() - killedAt} ms`)
    // What it was receiving goes with the next sweep of the other.
    await comesTo(4, 90_000)
    assert.equal(await upload(two, uploading, bytes), 204)
    for (const id of [kept, uploading, staging, piece, staged, web]) await remove(two, id)
    await comesTo(0)
    const stuck = await store.read((tx) => tx.db.selectFrom('kitSagas' as never).select(['name', 'state'] as never).where('state' as never, 'in', ['queued', 'running', 'aborting', 'stuck'] as never).execute())
    assert.deepEqual(stuck, [])
  })

  test('the killed one comes back, and finds nothing to do', async () => {
    one = await plane('host-1')
    const id = await make(one)
    assert.equal(await upload(one, id, Buffer.from('again')), 204)
    assert.equal((await download(two, id)).toString(), 'again')
    await remove(two, id)
    await comesTo(0)
  })
})

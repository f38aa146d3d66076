// Staging: in one piece as glance has it, and in pieces that may break off.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { Readable } from 'node:stream'
import { change } from '#kit/store/rows.ts'
import { waitFor } from '#base/retry.ts'
import { MIB } from '#base/units.ts'
import { sweep } from '../sweep.ts'
import { startImage, testContext, type ImageTest } from '../testing/start.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())
const stage = (id: string, body: Buffer | string, headers: Record<string, string> = {}) => api.http('PUT', `/image/v2/images/${id}/stage`, { token: 'member', body, headers: { 'content-type': 'application/octet-stream', ...headers } })
const append = (id: string, at: number | string, body: Buffer | string, complete?: string) =>
  api.http('PATCH', `/image/v2/images/${id}/stage`, { token: 'member', body, headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(at), ...(complete && { 'upload-complete': complete }) } })
const show = async (id: string): Promise<any> => (await api.call('member', 'image', 'showImage', { params: { image_id: id } })).body
const bring = (id: string) => api.call('member', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'glance-direct' } } })
const staged = async (): Promise<number> => (await api.deps.staging.list(testContext)).length
const data = async (id: string): Promise<string> => (await api.http('GET', `/image/v2/images/${id}/file`, { token: 'member' })).bytes.toString()

test('what is staged is uploading, and cannot be staged again', async () => {
  const id = await api.make()
  assert.equal((await stage(id, 'hello', { 'x-openstack-image-size': '6' })).status, 400)
  assert.equal((await show(id)).status, 'queued')
  assert.equal(await staged(), 0)
  assert.equal((await stage(id, 'hello')).status, 204)
  const image = await show(id)
  assert.deepEqual([image.status, image.size, image.stores], ['uploading', 5, undefined])
  assert.equal((await stage(id, 'again')).status, 409)
  assert.equal(await api.upload(id, Buffer.from('x')), 409)
  assert.equal((await api.http('GET', `/image/v2/images/${id}/file`, { token: 'member' })).status, 204)
  assert.equal((await api.call('member', 'image', 'removeStage', { params: { image_id: id } })).status, 204)
  assert.equal((await show(id)).status, 'queued')
  assert.equal(await staged(), 0)
  assert.equal((await stage(id, 'twice')).status, 204)
  await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })
  await api.runner.idle()
  assert.equal(await staged(), 0)
})

test('pieces follow each other; one at the wrong place is told the right one', async () => {
  const id = await api.make()
  const first = await append(id, 0, 'one ')
  assert.deepEqual([first.status, first.headers.get('upload-offset'), first.headers.get('upload-complete')], [204, '4', '?0'])
  for (const at of [0, 3, 5]) {
    const wrong = await append(id, at, 'x')
    assert.deepEqual([wrong.status, wrong.headers.get('upload-offset')], [409, '4'])
  }
  for (const at of ['', '-1', 'x', '1e3']) assert.equal((await append(id, at, 'x')).status, 400)
  assert.equal((await append(id, 4, 'x', 'yes')).status, 400)
  assert.equal((await append(id, 4, '')).status, 400)
  assert.equal((await bring(id)).status, 409)
  assert.equal((await append(id, 4, Buffer.alloc(1024 ** 2))).status, 413)
  assert.equal((await append(id, 4, 'two ')).status, 204)
  const head = await api.http('HEAD', `/image/v2/images/${id}/stage`, { token: 'member' })
  assert.deepEqual([head.status, head.headers.get('upload-offset'), head.headers.get('upload-complete')], [200, '8', '?0'])
  assert.equal((await append(id, 8, 'three', '?1')).headers.get('upload-complete'), '?1')
  assert.equal((await append(id, 13, 'four')).status, 409)
  assert.deepEqual((await api.call('member', 'image', 'showStage', { params: { image_id: id } })).body, { offset: 13, complete: true, pieces: 3 })
  assert.equal((await bring(id)).status, 202)
  assert.equal((await api.settled(id)).status, 'active')
  assert.equal(await data(id), 'one two three')
  assert.equal(await staged(), 0)
})

test('what is staged is closed again, in however many pieces, and though only its beginning is looked at', async () => {
  const on = await startImage({ maxImageBytes: 16 * MIB }), { staging } = on.deps, get = staging.get.bind(staging), opened: Readable[] = []
  staging.get = async (...args) => { const stream = await get(...args); opened.push(stream); return stream }
  try {
    for (const pieces of [1, 3]) {
      const id = await on.make(), piece = Buffer.alloc(4 * MIB, 'x')
      for (let i = 0; i < pieces; i++) {
        const headers = { 'upload-offset': String(i * piece.length), 'upload-complete': i === pieces - 1 ? '?1' : '?0' }
        assert.equal((await on.call('member', 'image', 'appendToStage', { params: { image_id: id }, stream: Readable.from([piece]), headers })).status, 204)
      }
      await on.call('member', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'glance-direct' } } })
      assert.equal((await on.settled(id)).status, 'active')
    }
    assert.ok(opened.length >= 5)
    assert.equal(opened.filter((stream) => !stream.destroyed).length, 0)
  } finally {
    await on.close()
  }
})

test('of two pieces for one place one is taken', async () => {
  const id = await api.make()
  const both = await Promise.all([append(id, 0, 'first'), append(id, 0, 'other', '?1')])
  assert.deepEqual(both.map((reply) => reply.status).sort(), [204, 409])
  assert.equal(await staged(), 1)
  await api.call('member', 'image', 'removeStage', { params: { image_id: id } })
})

test('a piece that comes to its end while all before it is dropped is refused', async () => {
  const id = await api.make(), { store } = api.deps, tx = store.tx.bind(store)
  assert.equal((await append(id, 0, 'one ')).status, 204)
  // At the latest moment there is: the piece has come, its row is about to be written.
  let dropped: number | undefined
  store.tx = (async (work, options) => {
    if (options?.durable && dropped === undefined) {
      dropped = 0
      dropped = (await api.call('member', 'image', 'removeStage', { params: { image_id: id } })).status
    }
    return tx(work, options)
  }) as typeof tx
  const late = await append(id, 4, 'two').finally(() => { store.tx = tx })
  assert.deepEqual([dropped, late.status, late.headers.get('upload-offset')], [204, 409, '0'])
  assert.equal((await show(id)).status, 'queued')
  assert.equal(await staged(), 0)
})

test('a piece that breaks off counts as far as it came, and the upload goes on from there', async () => {
  const id = await api.make(), url = new URL(`${api.publicUrl}/image/v2/images/${id}/stage`)
  // The line is cut when the first bytes have been taken: what nobody has begun to read is lost with it.
  const { promise: taken, resolve: take } = Promise.withResolvers<void>(), { staging } = api.deps, put = staging.put.bind(staging)
  staging.put = (ctx, body, options) => put(ctx, Readable.from((async function* () { for await (const chunk of body) { take(); yield chunk } })()), options)
  await new Promise<void>((over) => {
    const req = request(url, { method: 'PATCH', headers: { 'x-auth-token': 'member', 'content-type': 'application/octet-stream', 'upload-offset': '0', 'upload-complete': '?1', 'content-length': '100' } })
    req.on('error', () => over())
    req.write('came so far')
    void taken.then(() => req.destroy(new Error('the line is cut')))
  })
  staging.put = put
  const offset = await waitFor('the piece that broke off', async () => Number((await api.http('HEAD', url.pathname, { token: 'member' })).headers.get('upload-offset')) || undefined, 5000)
  assert.equal(offset, 11)
  assert.equal((await append(id, 11, ', and on', '?1')).status, 204)
  await bring(id)
  await api.settled(id)
  assert.equal(await data(id), 'came so far, and on')
})

test('what nobody goes on with is dropped after a while, and a stage whose process died at once', async () => {
  const [idle, dead, fresh] = [await api.make(), await api.make(), await api.make()]
  await append(idle, 0, 'left alone')
  await append(fresh, 0, 'just now')
  await api.store.tx(async (tx) => {
    await change(tx, 'imageImages', { id: idle }, { updatedAt: '2000-01-01T00:00:00.000Z' })
    await change(tx, 'imageImages', { id: dead }, { status: 'uploading', uploadId: 'u', uploadUntil: '2000-01-01T00:00:00.000Z' })
  })
  await sweep(testContext, api.deps)
  assert.deepEqual([(await show(idle)).status, (await show(dead)).status, (await show(fresh)).status], ['queued', 'queued', 'uploading'])
  assert.equal(await staged(), 1)
})

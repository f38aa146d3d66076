// Bytes in and out: ranges, stores, broken and wrong uploads, deletion.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { change } from '#kit/store/rows.ts'
import { personaActors } from '#kit/testing/api.ts'
import { resourceOf } from '../imports/saga.ts'
import { deleteImage } from './api.ts'
import { workOf } from '../imports/work.ts'
import { addCopy } from '../stores/store.ts'
import { sweep } from '../sweep.ts'
import { startImage, testContext, type ImageTest } from '../testing/start.ts'
import { find } from './store.ts'

let api: ImageTest
before(async () => { api = await startImage({}, { quiet: true }) })
after(() => api.close())
const bytes = Buffer.from('0123456789')
const get = (id: string, headers: Record<string, string> = {}, query = '') => api.http('GET', `/image/v2/images/${id}/file${query}`, { token: 'member', headers })
const show = async (id: string): Promise<any> => (await api.call('member', 'image', 'showImage', { params: { image_id: id } })).body
const stored = async (): Promise<number> => (await Promise.all(api.deps.stores.list.map(({ blobs }) => blobs.list(testContext)))).flat().length

test('ranges are given as asked, with what they are of', async () => {
  const id = await api.make()
  assert.equal((await get(id)).status, 204)
  assert.equal(await api.upload(id, bytes), 204)
  const whole = await get(id)
  assert.deepEqual([whole.status, whole.bytes.toString(), whole.headers.get('content-md5'), whole.headers.get('content-range')], [200, '0123456789', '781e5e245d69b566979b86e28d23f2c7', null])
  for (const [asked, text, range] of [['bytes=0-0', '0', '0-0'], ['bytes=2-4', '234', '2-4'], ['bytes=7-', '789', '7-9'], ['bytes=-3', '789', '7-9'], ['bytes=5-100', '56789', '5-9'], ['bytes=-100', '0123456789', '0-9']] as const) {
    const part = await get(id, { range: asked })
    assert.deepEqual([part.status, part.bytes.toString(), part.headers.get('content-range'), part.headers.get('content-length')], [206, text, `bytes ${range}/10`, String(text.length)], asked)
  }
  assert.equal((await get(id, { 'content-range': 'bytes 1-3/10' })).bytes.toString(), '123')
  for (const asked of ['bytes=10-', 'bytes=4-2', 'bytes=-0', 'bytes=-', 'bytes=a-b', 'bytes=0-1,3-4', 'lines=1-2', '', `bytes=${'9'.repeat(400)}-`]) {
    const refused = await get(id, { range: asked })
    assert.equal(refused.status, 416, asked)
    assert.equal(refused.headers.get('content-range'), 'bytes */10')
  }
})

test('an upload goes into the store it names', async () => {
  const id = await api.make()
  assert.equal(await api.upload(id, bytes, { 'x-image-meta-store': 'none' }), 400)
  assert.equal(await api.upload(id, bytes, { 'x-image-meta-store': 'fast' }), 204)
  assert.equal((await show(id)).stores, 'fast')
  assert.equal((await get(id, {}, '?prefer=file,fast')).bytes.toString(), '0123456789')
  assert.equal((await get(id, {}, '?prefer=none')).status, 400)
})

test('who changes the formats while an upload begins does not get past the look at its bytes', async (t) => {
  let meanwhile = async (): Promise<void> => {}
  const racing = await startImage({ limits: async () => { await meanwhile(); return {} } })
  t.after(() => racing.close())
  // A tar archive is not looked into, for no hypervisor opens one; and this is a qcow2 as well, with the host's file behind it.
  const archive = Buffer.alloc(1024)
  archive.write('QFI\xfb\0\0\0\x03', 'latin1')
  archive.writeBigUInt64BE(512n, 8) // a backing file's name
  archive.writeUInt32BE(11, 16)
  archive.write('ustar', 257)
  archive.write('/etc/passwd', 512)
  for (const put of ['uploadImage', 'stageImage']) {
    const id = await racing.make({ disk_format: 'qcow2', container_format: 'ova' })
    const patch = (to: string) => racing.http('PATCH', `/image/v2/images/${id}`, { token: 'member', body: [{ op: 'replace', path: '/container_format', value: to }], headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } })
    meanwhile = async () => { meanwhile = async () => {}; assert.equal((await patch('bare')).status, 200) }
    const reply = await racing.call('member', 'image', put, { params: { image_id: id }, stream: Readable.from([archive]), headers: { 'content-type': 'application/octet-stream' } })
    const image = (await racing.call('member', 'image', 'showImage', { params: { image_id: id } })).body
    if (put === 'uploadImage') assert.deepEqual([reply.status, image.status, image.container_format], [409, 'queued', 'bare'])
    // What is staged is looked at when it is imported, as what it is then.
    else {
      assert.equal(reply.status, 204)
      await racing.call('member', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'glance-direct' } } })
      assert.equal((await racing.settled(id)).status, 'queued')
    }
  }
})

test('what differs from its announcement, its format or its container is refused, and the image is queued again', async () => {
  const before = await stored()
  const id = await api.make()
  assert.equal(await api.upload(id, bytes, { 'x-openstack-image-size': '11' }), 400)
  assert.equal(await api.upload(id, bytes, { 'x-openstack-image-size': 'many' }), 400)
  assert.equal(await api.upload(id, bytes, { 'content-type': 'text/plain' }), 415)
  assert.equal(await api.upload(id, Buffer.alloc(1024 ** 2 + 1)), 413)
  assert.equal(await api.upload(await api.make({ disk_format: 'qcow2' }), bytes), 415)
  for (const container of ['ova', 'docker', 'ovf', 'compressed']) assert.equal(await api.upload(await api.make({ container_format: container }), bytes), 415, container)
  const ovf = await api.make({ container_format: 'ovf' })
  assert.equal(await api.upload(ovf, Buffer.from('<?xml version="1.0"?><Envelope xmlns="x">')), 204)
  assert.equal((await show(ovf)).virtual_size, null, 'the disk inside is not looked at')
  assert.equal((await show(id)).status, 'queued')
  assert.equal(await api.upload(id, bytes, { 'x-openstack-image-size': '10' }), 204)
  assert.equal(await api.upload(id, bytes), 409)
  assert.equal(await stored(), before + 1) // the descriptor: the ten digits were there already
})

test('equal bytes lie there once, and stay until the last image of them is deleted', async () => {
  const before = await stored(), same = Buffer.from('the same in both')
  const ids = [await api.make(), await api.make()]
  for (const id of ids) await api.upload(id, same)
  assert.equal(await stored(), before + 1)
  for (const [n, id] of ids.entries()) {
    assert.equal((await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })).status, 204)
    await api.runner.settled(resourceOf(id))
    assert.equal(await stored(), n === 0 ? before + 1 : before)
  }
})

test('a deletion that begins while bytes come leaves none of them', async () => {
  const before = await stored(), id = await api.make()
  const stream = Readable.from((async function* () {
    yield Buffer.from('first ')
    await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })
    yield Buffer.from('then')
  })())
  const upload = api.client('image').call(plainContext({ actor: personaActors().member }), 'uploadImage', { params: { image_id: id }, stream, headers: { 'content-type': 'application/octet-stream' } })
  await assert.rejects(upload, (error) => isFault(error, 'gone'))
  assert.equal(await stored(), before)
})

test('a copy that is lost is read from another store; without any the download fails cleanly', async () => {
  const id = await api.make()
  await api.upload(id, Buffer.from('in two stores'))
  await api.call('admin', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'copy-image' }, stores: ['fast'] } })
  assert.equal((await api.settled(id)).stores, 'fast,file')
  for (const [n, store] of ['file', 'fast'].entries()) {
    const { location } = (await api.deps.stores.blobs(store)!.list(testContext)).find((blob) => blob.size === 13)!
    await api.deps.stores.blobs(store)!.remove(testContext, location, async () => true)
    const reply = await get(id)
    if (n === 0) assert.equal(reply.bytes.toString(), 'in two stores')
    else assert.equal(reply.status, 404)
  }
})

test('an upload whose process died is queued again, one that lives is not', async () => {
  const [dead, alive] = [await api.make(), await api.make()]
  const saving = (id: string, uploadUntil: string) => api.store.tx((tx) => change(tx, 'imageImages', { id }, { status: 'saving', uploadId: 'u', uploadUntil }))
  await saving(dead, '2000-01-01T00:00:00.000Z')
  await saving(alive, '2999-01-01T00:00:00.000Z')
  await sweep(testContext, api.deps)
  assert.deepEqual([(await show(dead)).status, (await show(alive)).status], ['queued', 'saving'])
})

test('a reader may see an image and not its bytes; deactivated ones are the administrator\'s', async () => {
  const id = await api.make()
  await api.upload(id, bytes)
  assert.equal((await api.call('reader', 'image', 'downloadImage', { params: { image_id: id } })).status, 403)
  await api.call('member', 'image', 'deactivateImage', { params: { image_id: id } })
  assert.equal((await get(id)).status, 403)
  assert.equal((await api.call('admin', 'image', 'downloadImage', { params: { image_id: id } })).status, 200)
})

test('copies are removed one by one, never the last', async () => {
  const id = await api.make(), remove = async (store: string) => (await api.call('admin', 'image', 'removeImageFromStore', { params: { image_id: id, store_id: store } })).status
  assert.equal(await remove('file'), 409)
  await api.upload(id, Buffer.from('copied and removed'))
  assert.deepEqual([await remove('file'), await remove('fast'), await remove('none')], [403, 403, 409])
  await api.call('admin', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'copy-image' }, all_stores: true } })
  await api.settled(id)
  const both = await Promise.all([remove('file'), remove('fast')])
  assert.deepEqual(both.sort(), [204, 403])
  assert.equal((await show(id)).stores.split(',').length, 1)
  assert.equal((await buffer(Readable.from([(await get(id)).bytes]))).toString(), 'copied and removed')
})

test('an image that is protected while its deletion is on its way stays', async () => {
  const id = await api.make(), target = (await api.deps.store.read((tx) => find(tx, id)))!
  await api.http('PATCH', `/image/v2/images/${id}`, { token: 'member', body: [{ op: 'replace', path: '/protected', value: true }], headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } })
  await assert.rejects(deleteImage.handle(testContext, { target } as never, api.deps), (error) => isFault(error, 'forbidden'))
  assert.equal((await show(id)).status, 'queued')
})

test('of deletions at the very moment when uploads end none leaves bytes', async () => {
  const before = await stored()
  await Promise.all(Array.from({ length: 24 }, async (_x, n) => {
    const id = await api.make()
    const [uploaded] = await Promise.all([api.upload(id, Buffer.from(`raced ${n}`)), api.call('member', 'image', 'deleteImage', { params: { image_id: id } })])
    assert.ok([204, 404, 409, 410].includes(uploaded), String(uploaded))
  }))
  await api.runner.idle()
  assert.equal(await stored(), before)
})

test('of deletions while imports fill stores none leaves bytes', async () => {
  const before = await stored()
  await Promise.all(Array.from({ length: 24 }, async (_x, n) => {
    const id = await api.make(), params = { image_id: id }
    await api.call('member', 'image', 'stageImage', { params, stream: Readable.from([Buffer.from(`import raced ${n}`)]) })
    const begun = api.call('member', 'image', 'importImage', { params, body: { method: { name: 'glance-direct' }, all_stores: true } })
    if (n % 2) await begun
    for (let turn = 0; turn < n; turn++) await new Promise(setImmediate)
    await Promise.all([begun, api.call('member', 'image', 'deleteImage', { params })])
  }))
  await api.runner.idle()
  assert.deepEqual([await stored(), await api.deps.staging.list(testContext)], [before, []])
})

test('staged and cached bytes that nobody refers to, left by a process that died while it let go of them, are swept', async () => {
  const id = await api.make(), { staging, cache } = api.deps
  assert.equal((await api.call('member', 'image', 'stageImage', { params: { image_id: id }, stream: Readable.from([Buffer.from('still wanted')]) })).status, 204)
  for (const blobs of [staging, cache!.blobs]) await blobs.put(testContext, Readable.from([Buffer.from('nobody knows me')]), { maxBytes: 100 })
  await sweep(testContext, api.deps)
  assert.deepEqual([(await staging.list(testContext)).map((blob) => blob.size), await cache!.blobs.list(testContext)], [[12], []])
  await api.call('member', 'image', 'removeStage', { params: { image_id: id } })
})

test('the id of a deleted image is nobody\'s to take: who names an image by its id gets that one, or none', async () => {
  const id = await api.make()
  assert.equal((await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })).status, 204)
  for (const as of ['other', 'member']) assert.equal((await api.call(as, 'image', 'createImage', { body: { id, visibility: 'community' } })).status, 409)
  assert.equal((await api.call('admin', 'image', 'showImage', { params: { image_id: id } })).status, 404)
})

test('bytes whose removal from a store failed, or was cut short, are removed all the same', async () => {
  const fast = api.deps.stores.find('fast')!, { blobs } = fast, id = await api.make()
  await api.upload(id, Buffer.from('removed at the second try'))
  await api.call('admin', 'image', 'importImage', { params: { image_id: id }, body: { method: { name: 'copy-image' }, stores: ['fast'] } })
  await api.settled(id)
  const before = await stored()
  let asked = 0
  fast.blobs = Object.create(blobs, { remove: { value: (...args: Parameters<typeof blobs.remove>) => { if (asked++ === 0) throw new Error('as if killed'); return blobs.remove(...args) } } })
  await api.call('admin', 'image', 'removeImageFromStore', { params: { image_id: id, store_id: 'fast' } })
  // An import that is undone, its step done twice as after a kill.
  const { location } = await blobs.put(testContext, Readable.from([Buffer.from('of an import')]), { maxBytes: 99 })
  await api.deps.store.tx((tx) => addCopy(tx, { imageId: id, store: 'fast', location, taskId: 'undone' }))
  const work = workOf(api.deps, { imageId: id, taskId: 'undone', method: 'copy-image', stores: ['fast'], allMustSucceed: true, plugins: api.deps.config.plugins, madeImage: false })
  asked = 0
  for (let n = 0; n < 2; n++) await work.empty(testContext as never, 'fast').catch(() => {})
  await api.runner.idle()
  fast.blobs = blobs
  assert.equal(await stored(), before - 1)
})

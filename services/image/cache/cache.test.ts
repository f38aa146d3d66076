// This host's cache: filled when asked for, read from, bounded, emptied.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Readable } from 'node:stream'
import { fillCache } from './cache.ts'
import { find, queue, remove } from './store.ts'
import { startImage, testContext, type ImageTest } from '../testing/start.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())
const call = async (operation: string, params: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<number> => (await api.call('admin', 'image', operation, { params, headers })).status
const cached = async (): Promise<any> => (await api.call('admin', 'image', 'showImageCache')).body
const kept = async (): Promise<number> => (await api.deps.cache!.blobs.list(testContext)).length
const active = async (text: string): Promise<string> => { const id = await api.make(); assert.equal(await api.upload(id, Buffer.from(text)), 204); return id }
const have = async (id: string): Promise<void> => { assert.equal(await call('queueImageForCache', { image_id: id }), 202); await fillCache(testContext, api.deps) }

test('an image that is asked for is cached, served from there, and let go of', async () => {
  const id = await active('to be near'), queued = await api.make()
  assert.equal(await call('queueImageForCache', { image_id: queued }), 400)
  assert.equal(await call('queueImageForCache', { image_id: 'none' }), 404)
  await have(id)
  const [entry] = (await cached()).cached_images
  assert.deepEqual([entry.image_id, entry.hits, entry.size, typeof entry.last_accessed], [id, 0, 10, 'number'])
  // The store has lost it: the cache has not.
  const [blob] = await api.deps.stores.blobs('file')!.list(testContext)
  await api.deps.stores.blobs('file')!.remove(testContext, blob!.location, async () => true)
  const range = await api.http('GET', `/image/v2/images/${id}/file`, { token: 'member', headers: { range: 'bytes=6-9' } })
  assert.equal(range.bytes.toString(), 'near')
  assert.equal((await cached()).cached_images[0].hits, 1)
  assert.equal(await call('removeImageFromCache', { image_id: id }), 204)
  assert.deepEqual(await cached(), { cached_images: [], queued_images: [] })
  assert.equal(await kept(), 0)
})

test('what was used longest ago goes when there is no room, and what is too large does not come', async () => {
  const [one, two, three, large] = [await active('1'.repeat(2000)), await active('2'.repeat(2000)), await active('3'.repeat(2000)), await active('4'.repeat(5000))]
  await have(one)
  await have(two)
  await api.http('GET', `/image/v2/images/${one}/file`, { token: 'member' })
  await have(three)
  await have(large)
  const now = await cached()
  assert.deepEqual([now.cached_images.map((entry: any) => entry.image_id).sort(), now.queued_images], [[one, three].sort(), []])
  assert.equal(await call('clearImageCache', {}, { 'x-image-cache-clear-target': 'both' }), 400)
  assert.equal(await call('clearImageCache', {}, { 'x-image-cache-clear-target': 'queue' }), 204)
  assert.equal((await cached()).cached_images.length, 2)
  assert.equal(await call('clearImageCache'), 204)
  assert.equal(await kept(), 0)
})

test('a cached image that is deleted is cached no more', async () => {
  const id = await active('soon gone')
  await have(id)
  await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })
  await api.runner.idle()
  assert.equal(await kept(), 0)
  assert.deepEqual((await cached()).cached_images, [])
})

test('what is wanted no more when its bytes have come leaves none', async () => {
  const id = await active('changed my mind'), cache = api.deps.cache!
  await api.deps.store.tx((tx) => queue(tx, cache.host, id))
  const blobs = Object.create(cache.blobs, { put: { value: async (...args: Parameters<typeof cache.blobs.put>) => { await api.deps.store.tx((tx) => remove(tx, cache.host, id)); return cache.blobs.put(...args) } } })
  await fillCache(testContext, { ...api.deps, cache: { ...cache, blobs } })
  assert.equal(await kept(), 0)
})

test('without a cache there is nothing to manage', async () => {
  const on = await startImage({ cache: undefined })
  try {
    assert.equal((await on.call('admin', 'image', 'showImageCache')).status, 404)
    assert.equal((await on.call('member', 'image', 'showImageCache')).status, 403)
  } finally {
    await on.close()
  }
})

test('pruning takes what is too much, cleaning what is of no use', async () => {
  assert.equal((await api.call('member', 'image', 'pruneImageCache')).status, 403)
  assert.equal((await api.call('member', 'image', 'cleanImageCache')).status, 403)
  assert.equal(await call('clearImageCache'), 204)
  const [old, young, lost] = [await active('o'.repeat(1500)), await active('y'.repeat(1500)), await active('l'.repeat(100))], { cache } = api.deps
  for (const id of [old, young, lost]) await have(id)
  assert.deepEqual((await api.call('admin', 'image', 'pruneImageCache')).body, { total_files_pruned: 0, total_bytes_pruned: 0 })
  const maxBytes = cache!.maxBytes
  try {
    cache!.maxBytes = 1700
    assert.deepEqual((await api.call('admin', 'image', 'pruneImageCache')).body, { total_files_pruned: 1, total_bytes_pruned: 1500 })
  } finally {
    cache!.maxBytes = maxBytes
  }
  const ids = async (): Promise<string[]> => (await cached()).cached_images.map((entry: any) => entry.image_id)
  assert.deepEqual(new Set(await ids()), new Set([young, lost]))
  // The bytes of one are gone, and there are others that nobody refers to.
  const { location } = (await api.deps.store.read((tx) => find(tx, cache!.host, lost)))!
  await cache!.blobs.remove(testContext, location!, async () => true)
  await cache!.blobs.put(testContext, Readable.from([Buffer.from('nobody\'s')]), { maxBytes: 100 })
  assert.equal(await kept(), 2)
  const cleaned = await api.call('admin', 'image', 'cleanImageCache')
  assert.deepEqual([cleaned.status, await ids(), await kept()], [200, [young], 1])
})

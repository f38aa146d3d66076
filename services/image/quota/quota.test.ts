import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { waitFor } from '#base/retry.ts'
import { MIB } from '#base/units.ts'
import { testProjectId } from '#kit/testing/api.ts'
import { startImage, type ImageTest } from '../testing/start.ts'

let api: ImageTest, limits: Record<string, number> = {}
const asked: string[] = []
before(async () => { api = await startImage({ maxImageBytes: 4 * MIB, limits: async (_ctx, projectId) => { asked.push(projectId); return projectId === testProjectId ? limits : {} } }) })
after(() => api.close())

const v2 = (method: string, path: string, body?: unknown, token = 'member', headers?: Record<string, string>) => api.http<any>(method, `/image/v2${path}`, { token, body, headers })
const create = (token?: string) => v2('POST', '/images', { disk_format: 'raw', container_format: 'bare' }, token)
const upload = (id: string, mib: number, headers: Record<string, string> = {}) => v2('PUT', `/images/${id}/file`, Buffer.alloc(mib * MIB), 'member', { 'content-type': 'application/octet-stream', ...headers })
/** In chunks: how many bytes come nobody knows. */
const chunked = (path: 'file' | 'stage', id: string, mib: number) => fetch(`${api.publicUrl}/image/v2/images/${id}/${path}`, {
  method: 'PUT', body: Readable.toWeb(Readable.from([Buffer.alloc(mib * MIB)])) as never, duplex: 'half', headers: { 'x-auth-token': 'member', 'content-type': 'application/octet-stream' },
} as RequestInit)
const usage = async (token?: string) => (await v2('GET', '/info/usage', undefined, token)).body.usage

test('as many images as the limit says, however many ask at once; what is deleted makes room', async () => {
  limits = { image_count_total: 3 }
  const replies = await Promise.all(Array.from({ length: 10 }, () => create()))
  assert.deepEqual(replies.map((r) => r.status).sort(), [201, 201, 201, ...Array<number>(7).fill(413)])
  assert.match(replies.find((r) => r.status === 413)!.body.message, /image_count_total is over limit of 3/)
  assert.deepEqual(await usage(), {
    image_size_total: { usage: 0, limit: -1 }, image_stage_total: { usage: 0, limit: -1 }, image_count_total: { usage: 3, limit: 3 }, image_count_uploading: { usage: 0, limit: -1 },
  })
  assert.equal((await create('other')).status, 201, 'another project has limits of its own')
  const [first] = replies.filter((r) => r.status === 201).map((r) => r.body.id)
  await v2('DELETE', `/images/${first}`)
  assert.equal((await create()).status, 201)
  limits = {}
  assert.equal((await create()).status, 201, 'nothing registered, nothing bounded')
  limits = { image_count_total: -1 }
  assert.equal((await create()).status, 201)
})

test('mebibytes: an upload of unknown size begins unless the limit is passed, one of known size must fit', async () => {
  limits = { image_size_total: 1 }
  const ids = await Promise.all(Array.from({ length: 4 }, async () => (await create()).body.id))
  assert.equal((await upload(ids[0], 1)).status, 204)
  assert.equal((await upload(ids[1], 1, { 'x-openstack-image-size': String(MIB) })).status, 413)
  assert.equal((await upload(ids[1], 1)).status, 413, 'Content-Length says it, too')
  assert.equal((await chunked('file', ids[1], 1)).status, 204)
  assert.deepEqual((await usage()).image_size_total, { usage: 2, limit: 1 })
  const refused = await chunked('file', ids[2], 1)
  assert.equal(refused.status, 413)
  assert.equal((await v2('GET', `/images/${ids[2]}`)).body.status, 'queued', 'a refused upload leaves the image as it was')
  limits = { image_size_total: 3 }
  assert.equal((await upload(ids[2], 1, { 'x-openstack-image-size': String(MIB) })).status, 204)
  await v2('DELETE', `/images/${ids[0]}`)
  assert.deepEqual((await usage()).image_size_total, { usage: 2, limit: 3 })
})

test('no more uploads at a time than the limit says', async () => {
  limits = { image_count_uploading: 0 }
  const { id } = (await create()).body
  assert.equal((await upload(id, 1)).status, 413)
  limits = { image_count_uploading: 1 }
  assert.equal((await upload(id, 1)).status, 204)
  assert.ok(asked.includes(testProjectId))
})

test('a piece counts as an upload from its first byte, and there is one of an image at a time', async () => {
  limits = { image_count_uploading: 1 }
  const [a, b] = await Promise.all(Array.from({ length: 2 }, async () => (await create()).body.id)), { staging } = api.deps, put = staging.put.bind(staging)
  let begun = Promise.withResolvers<void>()
  staging.put = (ctx, body, options) => { begun.resolve(); return put(ctx, body, options) }
  const endless = async (id: string) => {
    begun = Promise.withResolvers<void>()
    const { promise: status, resolve } = Promise.withResolvers<number | undefined>()
    const req = request(`${api.publicUrl}/image/v2/images/${id}/stage`, { method: 'PATCH', headers: { 'x-auth-token': 'member', 'content-type': 'application/octet-stream', 'upload-offset': '0' } })
    req.on('response', (response) => { resolve(response.statusCode); req.destroy() }).on('error', () => resolve(undefined))
    req.write('and so on')
    await Promise.race([begun.promise, status])
    return { status, req }
  }
  const first = await endless(a)
  assert.equal((await v2('GET', `/images/${a}`)).body.status, 'uploading')
  assert.equal(await (await endless(b)).status, 413)
  assert.equal((await upload(b, 1)).status, 413)
  // Who comes back, because his line was cut, does not wait until that is noticed.
  const second = await endless(a)
  assert.equal(await first.status, 409)
  second.req.destroy()
  await waitFor('what came of the second piece', async () => (await v2('HEAD', `/images/${a}/stage`)).headers.get('upload-offset') === '9' || undefined, 5000)
  staging.put = put
  for (const id of [a, b]) await v2('DELETE', `/images/${id}`)
  limits = {}
})

test('staged bytes have a limit of their own, and count as an upload until they are imported', async () => {
  limits = { image_stage_total: 1, image_count_uploading: 2 }
  const [a, b, c] = await Promise.all(Array.from({ length: 3 }, async () => (await create()).body.id))
  const stage = (id: string, headers: Record<string, string> = {}) => v2('PUT', `/images/${id}/stage`, Buffer.alloc(MIB), 'member', { 'content-type': 'application/octet-stream', ...headers })
  const piece = (id: string) => v2('PATCH', `/images/${id}/stage`, Buffer.alloc(MIB), 'member', { 'content-type': 'application/octet-stream', 'upload-offset': '0' })
  assert.equal((await stage(a)).status, 204)
  assert.equal((await stage(b, { 'x-openstack-image-size': String(MIB) })).status, 413, 'known, and too much')
  assert.equal((await piece(b)).status, 413)
  assert.equal((await stage(b)).status, 413)
  assert.equal((await chunked('stage', b, 1)).status, 204, 'unknown, and the limit is not passed yet')
  assert.deepEqual([(await usage()).image_stage_total, (await usage()).image_count_uploading], [{ usage: 2, limit: 1 }, { usage: 2, limit: 2 }])
  limits = { image_count_uploading: 2 }
  for (const refused of [await stage(c), await piece(c), await upload(c, 1)]) assert.equal(refused.status, 413)
  assert.equal((await v2('GET', `/images/${c}`)).body.status, 'queued')
  limits = { image_size_total: 0 }
  assert.equal((await v2('POST', `/images/${a}/import`, { method: { name: 'glance-direct' } })).status, 413)
  // What comes from afar is staged as well.
  limits = { image_stage_total: 1 }
  assert.equal((await v2('POST', `/images/${c}/import`, { method: { name: 'web-download', uri: 'http://192.88.1.1/x' } })).status, 413)
  limits = { image_count_uploading: 2 }
  assert.equal((await v2('POST', `/images/${a}/import`, { method: { name: 'glance-direct' } })).status, 202)
  assert.equal((await api.settled(a)).status, 'active')
  assert.equal((await upload(c, 1)).status, 204)
})

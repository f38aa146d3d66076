// Imports: what each method asks for, what comes of it, and what is left when it fails.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { MIB } from '#base/units.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { defaultConfig, type ImageConfig } from '../config.ts'
import { addPart } from '../stage/store.ts'
import { startImage, testContext, type ImageTest } from '../testing/start.ts'
import { workOf } from './work.ts'

let api: ImageTest, site: Server, root: string, config: ImageConfig
const seen: string[] = []
before(async () => {
  site = createServer((req, res) => {
    seen.push(req.url!)
    if (req.url === '/missing') return void res.writeHead(404).end()
    if (req.url === '/large') return void res.end(Buffer.alloc(2 * 1024 ** 2))
    if (req.url === '/inside') return void res.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    if (req.url === '/slow') return void res.writeHead(200).write('a little')
    res.end('from the web')
  })
  await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening))
  root = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  config = { ...defaultConfig, webDownload: { ...defaultConfig.webDownload, ports: { allow: [], deny: [] }, networks: { allow: ['127.0.0.1/32'], deny: [] } } }
  api = await startImage({ config })
})
after(async () => {
  site.close()
  site.closeAllConnections()
  await api.close()
})

type Body = Record<string, unknown>
const bring = (id: string, method: Body | string, more: Body = {}, as = 'member', on = api, headers: Record<string, string> = {}) =>
  on.call(as, 'image', 'importImage', { params: { image_id: id }, body: { method: typeof method === 'string' ? { name: method } : method, ...more }, headers })
const staged = async (over: Body = {}, bytes: Buffer = Buffer.from('staged bytes'), on = api): Promise<string> => {
  const id = await on.make(over)
  const { status } = await on.call('member', 'image', 'stageImage', { params: { image_id: id }, stream: Readable.from([bytes]) })
  assert.equal(status, 204)
  return id
}
const left = async (on = api): Promise<number> => (await on.deps.staging.list(testContext)).length
const stored = async (id: string, on = api): Promise<string[]> => (await on.deps.stores.find(id)!.blobs.list(testContext)).map((blob) => blob.location)
const tasks = async (id: string, on = api): Promise<any[]> => (await on.call('member', 'image', 'listImageTasks', { params: { image_id: id } })).body.tasks
const data = async (id: string, on = api): Promise<Buffer> => (await on.http('GET', `/image/v2/images/${id}/file`, { token: 'member' })).bytes

test('clients are told how they may import, and where to', async () => {
  assert.deepEqual((await api.call('reader', 'image', 'showImportInfo')).body, { 'import-methods': { description: 'Import methods available.', type: 'array', value: ['glance-direct', 'web-download', 'copy-image'] } })
  assert.deepEqual((await api.call('reader', 'image', 'listStores')).body, { stores: [{ id: 'fast' }, { id: 'file', description: 'The usual one', default: 'true' }] })
  assert.deepEqual((await api.call('admin', 'image', 'listStoreDetails')).body.stores[1], { id: 'file', description: 'The usual one', default: 'true', type: 'fake', weight: 0, properties: {} })
  const made = await api.call('member', 'image', 'createImage', { body: {} })
  assert.deepEqual([made.headers['openstack-image-import-methods'], made.headers['openstack-image-store-ids']], ['glance-direct,web-download,copy-image', 'fast,file'])
})

test('glance-direct: staged bytes become the image, and its task says so', async () => {
  const id = await staged()
  const reply = await bring(id, 'glance-direct')
  assert.equal(reply.status, 202)
  const image = await api.settled(id)
  assert.deepEqual([image.status, image.size, image.virtual_size, image.stores, image.os_hash_algo, image.os_glance_importing_to_stores, image.os_glance_failed_import, image.os_glance_import_task], ['active', 12, 12, 'file', 'sha512', '', '', undefined])
  assert.equal((await data(id)).toString(), 'staged bytes')
  assert.equal(await left(), 0)
  const [task, ...more] = await tasks(id)
  assert.deepEqual(more, [])
  assert.deepEqual([task.status, task.type, task.result, task.image_id, task.message, task.deleted], ['success', 'api_image_import', { image_id: id }, id, 'Copied 0 MiB', false])
  assert.equal(task.request_id, reply.headers['x-openstack-request-id'])
  assert.deepEqual(task.input, { image_id: id, import_req: { method: { name: 'glance-direct' } }, backend: ['file'] })
  assert.match(task.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
  assert.equal((await bring(id, 'glance-direct')).status, 409)
})

test('stores are named in the body or the header, or are all of them', async () => {
  for (const [more, headers, expected] of [
    [{ stores: ['fast'] }, {}, 'fast'], [{ stores: ['fast', 'file', 'fast'] }, {}, 'fast,file'], [{ all_stores: true }, {}, 'fast,file'], [{}, { 'x-image-meta-store': 'fast' }, 'fast'], [{ all_stores: true, all_stores_must_succeed: false }, {}, 'fast,file'],
  ] as [Body, Record<string, string>, string][]) {
    const id = await staged()
    assert.equal((await bring(id, 'glance-direct', more, 'member', api, headers)).status, 202)
    assert.equal((await api.settled(id)).stores, expected)
  }
  const id = await staged()
  for (const [more, headers, status] of [
    [{ stores: ['none'] }, {}, 409], [{ stores: [] }, {}, 400], [{ stores: ['fast'], all_stores: true }, {}, 400], [{ all_stores: true }, { 'x-image-meta-store': 'fast' }, 400], [{ stores: ['fast'] }, { 'x-image-meta-store': 'fast' }, 400],
    [{ all_stores: 'yes' }, {}, 400], [{ all_stores_must_succeed: 1 }, {}, 400], [{ stores: 'fast' }, {}, 400],
  ] as [Body, Record<string, string>, number][]) assert.equal((await bring(id, 'glance-direct', more, 'member', api, headers)).status, status, JSON.stringify(more))
  await api.call('member', 'image', 'removeStage', { params: { image_id: id } })
})

test('what is not asked for rightly is refused before anything happens', async () => {
  const id = await api.make()
  for (const method of [{}, { name: 'glance-download' }, { name: 5 }, 'nothing', { name: 'web-download' }, { name: 'web-download', uri: 'http://10.0.0.1/x' }, { name: 'web-download', uri: 'file:///etc/passwd' }, { name: 'web-download', uri: 'http://u:p@127.0.0.1/' }]) assert.equal((await bring(id, method)).status, 400, JSON.stringify(method))
  assert.equal((await api.call('member', 'image', 'importImage', { params: { image_id: id }, body: {} })).status, 400)
  assert.equal((await bring(id, 'glance-direct')).status, 409)
  assert.equal((await bring(id, 'copy-image', {}, 'admin')).status, 409)
  assert.equal((await bring(await api.make({ disk_format: null }), { name: 'web-download', uri: `${root}/x` })).status, 409)
  assert.equal((await bring(await api.make({ container_format: null }), { name: 'web-download', uri: `${root}/x` })).status, 409)
  const other = await staged()
  assert.equal((await bring(other, { name: 'web-download', uri: `${root}/x` })).status, 409)
  await api.call('member', 'image', 'removeStage', { params: { image_id: other } })
  assert.deepEqual(seen, [])
  assert.deepEqual(await tasks(id), [])
})

test('web-download: bytes come from a URL, whose secrets are kept from everybody', async () => {
  const id = await api.make()
  assert.equal((await bring(id, { name: 'web-download', uri: `${root}/image?signature=secret` })).status, 202)
  assert.equal((await api.settled(id)).status, 'active')
  assert.equal((await data(id)).toString(), 'from the web')
  assert.equal(await left(), 0)
  const kept = JSON.stringify([await tasks(id), await api.runner.list({ resourceId: `image:${id}` })])
  assert.ok(kept.includes(`${root}/image`) && !kept.includes('secret'))
})

test('web-download: a failure says why, leaves the image queued and nothing else', async () => {
  for (const [path, why] of [['/missing', /status 404/], ['/large', /larger than/], ['/inside', /not allowed/]] as const) {
    const id = await api.make()
    assert.equal((await bring(id, { name: 'web-download', uri: root + path })).status, 202)
    const image = await api.settled(id), [task] = await tasks(id)
    assert.deepEqual([image.status, image.size, image.os_glance_failed_import, image.os_glance_import_task, task.status, task.result], ['queued', null, 'file', undefined, 'failure', null])
    assert.match(task.message, why)
    assert.equal(await left(), 0)
    assert.equal((await bring(id, { name: 'web-download', uri: `${root}/again` })).status, 202)
    assert.equal((await api.settled(id)).status, 'active')
  }
})

test('content that is not what was declared fails the import', async () => {
  const id = await staged({ disk_format: 'qcow2' })
  await bring(id, 'glance-direct')
  const image = await api.settled(id), [task] = await tasks(id)
  assert.deepEqual([image.status, task.status], ['queued', 'failure'])
  assert.match(task.message, /qcow2 was declared, raw was found/)
  assert.equal(await left(), 0)
})

test('copy-image: fills the other stores, by an administrator\'s word', async () => {
  const id = await api.make()
  await api.upload(id, Buffer.from('to be copied'))
  assert.equal((await bring(id, 'copy-image', { all_stores: true })).status, 403)
  assert.equal((await bring(id, 'copy-image', { stores: ['file'] }, 'admin')).status, 400)
  assert.equal((await bring(id, 'copy-image', { all_stores: true }, 'admin')).status, 202)
  const image = await api.settled(id)
  assert.deepEqual([image.status, image.stores, image.os_glance_importing_to_stores, image.os_glance_failed_import], ['active', 'fast,file', '', ''])
  assert.equal((await bring(id, 'copy-image', { all_stores: true }, 'admin')).status, 202)
  assert.equal((await tasks(id)).length, 1)
})

test('a store that fails: all or nothing, or as far as it goes', async () => {
  const on = await startImage({}, { quiet: true })
  try {
    const fast = on.deps.stores.blobs('fast')!, put = fast.put.bind(fast)
    fast.put = async () => { throw new Error('this store is broken') }
    const [all, some] = [await staged({}, Buffer.from('all or nothing'), on), await staged({}, Buffer.from('as far as it goes'), on)]
    await bring(all, 'glance-direct', { stores: ['file', 'fast'] }, 'member', on)
    await bring(some, 'glance-direct', { stores: ['file', 'fast'], all_stores_must_succeed: false }, 'member', on)
    const [none, one] = [await on.settled(all), await on.settled(some)]
    assert.deepEqual([none.status, none.stores, none.os_glance_failed_import], ['queued', undefined, 'file,fast'])
    assert.deepEqual([one.status, one.stores, one.os_glance_failed_import], ['active', 'file', 'fast'])
    assert.deepEqual([(await stored('file', on)).length, await left(on)], [1, 0])
    assert.match((await tasks(all, on))[0].message, /unexpectedly/)
    const copied = await bring(some, 'copy-image', { stores: ['fast'] }, 'admin', on)
    assert.equal(copied.status, 202)
    const still = await on.settled(some)
    assert.deepEqual([still.status, still.stores, still.os_glance_failed_import], ['active', 'file', 'fast'])
    fast.put = put
    await bring(some, 'copy-image', { stores: ['fast'] }, 'admin', on)
    assert.equal((await on.settled(some)).stores, 'fast,file')
  } finally {
    await on.close()
  }
})

test('an image has one import at a time, and a deletion ends it', async () => {
  const id = await api.make()
  assert.equal((await bring(id, { name: 'web-download', uri: `${root}/slow` })).status, 202)
  assert.equal((await bring(id, { name: 'web-download', uri: `${root}/slow` })).status, 409)
  const image = (await api.call('member', 'image', 'showImage', { params: { image_id: id } })).body
  assert.equal(image.status, 'importing')
  const [{ id: taskId }] = await tasks(id)
  assert.equal(image.os_glance_import_task, taskId)
  assert.equal((await api.call('member', 'image', 'deleteImage', { params: { image_id: id } })).status, 204)
  assert.equal((await api.call('member', 'image', 'showImage', { params: { image_id: id } })).status, 404)
  await api.runner.idle()
  assert.equal(await left(), 0)
  assert.equal((await api.call('admin', 'image', 'showTask', { params: { task_id: taskId } })).body.status, 'failure')
})

test('plugins unpack, convert and add properties, as configured', async () => {
  const on = await startImage({ config: { ...config, plugins: { decompress: true, convertTo: 'raw', inject: { properties: { os_distro: 'debian' }, unlessRoles: ['manager'] } } } })
  try {
    const disk = Buffer.alloc(2000, 'x')
    for (const packed of [gzipSync(disk), zstdCompressSync(disk)]) {
      const id = await staged({ os_distro: 'none' }, packed, on)
      await bring(id, 'glance-direct', {}, 'member', on)
      const image = await on.settled(id)
      assert.deepEqual([image.status, image.container_format, image.disk_format, image.size, image.os_distro], ['active', 'bare', 'raw', 2000, 'debian'])
      assert.ok((await data(id, on)).equals(disk))
    }
    // What is said to be compressed is wanted so; what cannot be unpacked is the disk itself.
    for (const [over, bytes] of [[{ container_format: 'compressed' }, gzipSync(disk)], [{ container_format: 'bare' }, Buffer.from('BZh91AY')]] as const) {
      const id = await staged(over, bytes, on)
      await bring(id, 'glance-direct', {}, 'member', on)
      const image = await on.settled(id)
      assert.deepEqual([image.status, image.container_format, image.size, image.virtual_size], ['active', over.container_format, bytes.length, over.container_format === 'bare' ? bytes.length : null])
    }
    const vdi = Buffer.alloc(600)
    vdi.write('\x7f\x10\xda\xbe', 0x40, 'latin1')
    vdi.writeUInt32LE(0x10001, 0x44)
    vdi.writeUInt32LE(1, 0x4c)
    const id = await staged({ disk_format: 'vdi' }, vdi, on)
    await bring(id, 'glance-direct', {}, 'manager', on)
    const image = await on.settled(id)
    assert.deepEqual([image.status, image.disk_format, image.size, image.os_distro], ['active', 'raw', 612, undefined])
    for (const [over, bytes, why] of [[{}, gzipSync(Buffer.alloc(60 * 1024 ** 2)), /larger/], [{ disk_format: 'vdi' }, Buffer.concat([vdi, Buffer.from('unconvertible')]), /could not be converted/], [{}, gzipSync(disk).subarray(0, 30), /damaged/], [{ disk_format: 'vdi' }, gzipSync(disk), /raw was found/]] as const) {
      const id = await staged(over, bytes, on)
      await bring(id, 'glance-direct', {}, 'member', on)
      assert.equal((await on.settled(id)).status, 'queued')
      assert.match((await tasks(id, on))[0].message, why)
    }
    assert.equal(await left(on), 0)
  } finally {
    await on.close()
  }
})

test('what an image becomes on its way in counts for its project\'s quota, in each store', async () => {
  let limits: Record<string, number> = {}
  const on = await startImage({ maxImageBytes: 8 * MIB, limits: async () => limits, config: { ...config, plugins: { ...config.plugins, decompress: true } } })
  const kept = async (): Promise<number[]> => [(await stored('file', on)).length, (await stored('fast', on)).length, await left(on)]
  try {
    const packed = gzipSync(Buffer.alloc(1.5 * MIB, 'x'))
    for (const [limit, more, fails] of [[1, {}, true], [2, { all_stores: true }, true], [2, { all_stores: true, all_stores_must_succeed: false }, false], [3, { all_stores: true }, false]] as const) {
      limits = { image_size_total: limit }
      const id = await staged({}, packed, on)
      assert.equal((await bring(id, 'glance-direct', more, 'member', on)).status, 202)
      const image = await on.settled(id), [task] = await tasks(id, on)
      if (fails) {
        assert.deepEqual([image.status, image.size, image.checksum, image.container_format, image.os_glance_import_task, task.status], ['queued', null, null, 'bare', undefined, 'failure'])
        assert.match(task.message, new RegExp(`image_size_total is over limit of ${limit} `))
        assert.deepEqual(await kept(), [0, 0, 0])
      } else {
        assert.deepEqual([image.status, image.size, image.stores, image.os_glance_failed_import], ['active', 1.5 * MIB, ...(limit === 2 ? ['fast', 'file'] : ['fast,file', ''])])
      }
      await on.call('member', 'image', 'deleteImage', { params: { image_id: id } })
      await on.runner.idle()
      assert.deepEqual(await kept(), [0, 0, 0])
    }
  } finally {
    await on.close()
  }
})

test('tasks of the older kind make an image, or leave none', async () => {
  const create = (input: Body, type = 'import') => api.call('admin', 'image', 'createTask', { body: { type, input } })
  const input = { import_from: `${root}/old?token=secret`, import_from_format: 'raw', image_properties: { name: 'old way', disk_format: 'raw', container_format: 'bare' } }
  const made = await create(input)
  assert.equal(made.status, 201)
  assert.deepEqual([made.body.status, made.body.type, made.body.input.import_from, made.headers.location], ['pending', 'import', `${root}/old`, `/v2/tasks/${made.body.id}`])
  const image = await api.settled(made.body.image_id)
  assert.deepEqual([image.status, image.name], ['active', 'old way'])
  const done = (await api.call('admin', 'image', 'showTask', { params: { task_id: made.body.id } })).body
  assert.deepEqual([done.status, done.result, done.schema, typeof done.expires_at], ['success', { image_id: image.id }, '/v2/schemas/task', 'string'])
  const failing = (await create({ ...input, import_from: `${root}/missing` })).body
  assert.equal((await api.settled(failing.image_id)).code, '404 Not Found')
  assert.equal((await api.call('admin', 'image', 'showTask', { params: { task_id: failing.id } })).body.status, 'failure')
  const converted = await create({ ...input, import_from_format: 'qcow2' })
  assert.equal(converted.status, 201)
  for (const wrong of [{ ...input, import_from: 'http://10.0.0.1/' }, { ...input, import_from_format: 'none' }, { ...input, image_properties: { status: 'active' } }, { ...input, image_properties: 5 }, { import_from: 'x' }, {}, { ...input, image_properties: { disk_format: 'vdi' } }]) assert.ok([400, 403].includes((await create(wrong)).status), JSON.stringify(wrong))
  assert.equal((await create(input, 'export')).status, 400)
  assert.equal((await api.http('DELETE', `/image/v2/tasks/${made.body.id}`, { token: 'admin' })).status, 405)
  await api.runner.idle()
  assert.equal(await left(), 0)
})

test('tasks are listed with filters, order and pages, in a constant number of queries', async () => {
  const list = async (query: Record<string, unknown>): Promise<any> => (await api.call('admin', 'image', 'listTasks', { query })).body
  const all = (await list({ limit: 1000, sort_dir: 'asc' })).tasks
  assert.ok(all.length > 10)
  const paged: string[] = []
  for (let next: string | undefined = '/v2/tasks?limit=3&sort_dir=asc&sort_key=status'; next;) {
    const page: any = (await api.http('GET', `/image${next}`, { token: 'admin' })).body
    paged.push(...page.tasks.map((task: any) => task.id))
    next = page.next
  }
  assert.deepEqual(paged.toSorted(), all.map((task: any) => task.id).toSorted())
  assert.ok((await list({ status: 'failure' })).tasks.every((task: any) => task.status === 'failure'))
  assert.ok((await list({ type: 'import' })).tasks.every((task: any) => task.type === 'import'))
  assert.equal(all[0].input, undefined)
  for (const query of [{ limit: -1 }, { limit: 'x' }, { marker: 'x' }, { marker: '00000000-0000-4000-8000-000000000000' }, { sort_key: 'x' }, { sort_dir: 'x' }, { status: 'x' }, { type: 'x' }]) assert.equal((await api.call('admin', 'image', 'listTasks', { query })).status, 400, JSON.stringify(query))
  const cost = (query: Record<string, unknown>): Promise<number> => queriesOf(api.store, () => list(query))
  assert.equal(await cost({ limit: 2 }), await cost({ limit: 1000 }))
})

test('what is staged goes after the end, also of an image that was deactivated meanwhile', async () => {
  const id = await api.make()
  await api.upload(id, Buffer.from('imported already'))
  await api.deps.staging.put(testContext, Readable.from([Buffer.from('x')]), { maxBytes: 9, keep: ({ location, size }) => api.deps.store.tx(async (tx) => { await addPart(tx, { imageId: id, form: 0, startAt: 0, size, location, last: 1 }) }) })
  await api.call('member', 'image', 'deactivateImage', { params: { image_id: id } })
  await workOf(api.deps, { imageId: id, taskId: 'ended', method: 'glance-direct', stores: ['file'], allMustSucceed: true, plugins: config.plugins, madeImage: false }).dropForms(testContext as never, 0)
  assert.equal(await left(), 0)
})

test('whoever may see an image is not shown by whom, and from where, others imported it', async () => {
  const id = await staged()
  await bring(id, 'glance-direct')
  await api.settled(id)
  await api.http('PATCH', `/image/v2/images/${id}`, { token: 'admin', body: [{ op: 'replace', path: '/visibility', value: 'public' }], headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } })
  const seen = async (as: string): Promise<[number, number]> => { const reply = await api.call(as, 'image', 'listImageTasks', { params: { image_id: id } }); return [reply.status, reply.body.tasks.length] }
  assert.deepEqual([await seen('member'), await seen('admin'), await seen('other')], [[200, 1], [200, 1], [200, 0]])
})

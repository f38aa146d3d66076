// glance-download: what comes from another region's image service, played by a server of the test's own.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { defaultConfig, type ImageConfig } from '../config.ts'
import { startImage, testContext, type ImageTest } from '../testing/start.ts'

const id = '3f6d8a52-9e0b-4c7e-8e9a-0f5c6f1b2a3d', content = Buffer.from('from another region')
const good = {
  id, status: 'active', size: content.length, disk_format: 'raw', container_format: 'bare', checksum: createHash('md5').update(content).digest('hex'), os_hash_algo: 'sha512', os_hash_value: createHash('sha512').update(content).digest('hex'),
  name: 'theirs', hw_disk_bus: 'scsi', 'trait:CUSTOM_X': 'required', os_type: 'linux', own: 'not copied', os_hidden: true, owner: 'somebody', os_glance_import_task: 'x',
}
let said: Record<string, unknown> | string = good, bytes = content, redirects = false
const asked: { url: string, token: unknown }[] = []
let site: Server, api: ImageTest, root: string, config: ImageConfig, endpoints: { region: string | null, interface: string, url: string }[]
before(async () => {
  site = createServer((req, res) => {
    asked.push({ url: req.url!, token: req.headers['x-auth-token'] })
    if (redirects) return void res.writeHead(302, { location: '/elsewhere' }).end()
    if (req.url === `/image/v2/images/${id}`) return void res.end(typeof said === 'string' ? said : JSON.stringify(said))
    if (req.url === `/image/v2/images/${id}/file`) return void res.end(bytes)
    res.writeHead(404).end()
  })
  await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening))
  root = `http://127.0.0.1:${(site.address() as AddressInfo).port}/image`
  endpoints = [
    { region: 'RegionOne', interface: 'public', url: 'http://192.0.2.1/image' }, { region: 'RegionTwo', interface: 'public', url: root }, { region: 'RegionTwo', interface: 'internal', url: `${root}/v2/` },
    { region: 'RegionThree', interface: 'public', url: 'http://10.0.0.1/image' },
  ]
  config = {
    ...defaultConfig, methods: ['glance-direct', 'glance-download'], glanceDownload: { ...defaultConfig.glanceDownload, properties: [...defaultConfig.glanceDownload.properties, 'os_'], rules: { ...defaultConfig.glanceDownload.rules, networks: { allow: ['127.0.0.1/32'], deny: [] } } },
  }
  api = await startImage({ config, catalog: async () => [{ type: 'compute', endpoints: [{ region: 'RegionTwo', interface: 'public', url: 'http://192.0.2.2/' }] }, { type: 'image', endpoints }] }, { quiet: true })
})
after(async () => {
  site.close()
  site.closeAllConnections()
  await api.close()
})

const bring = (imageId: string, method: Record<string, unknown>) => api.http<any>('POST', `/image/v2/images/${imageId}/import`, { token: 'member', body: { method: { name: 'glance-download', ...method } } })
const task = async (imageId: string): Promise<any> => (await api.call('member', 'image', 'listImageTasks', { params: { image_id: imageId } })).body.tasks[0]
const left = async (): Promise<number> => (await api.deps.staging.list(testContext)).length + api.deps.tokens.size

test('an image comes with its formats and the properties that are let in; the token goes there and stays nowhere', async () => {
  assert.deepEqual((await api.call('reader', 'image', 'showImportInfo')).body['import-methods'].value, ['glance-direct', 'glance-download'])
  for (const more of [{}, { glance_service_interface: 'internal' }, { glance_region: 'regiontwo' }]) {
    asked.length = 0
    const imageId = await api.make({ disk_format: 'iso', hw_disk_bus: 'ide', mine: 'stays', name: 'ours' })
    assert.equal((await bring(imageId, { glance_region: 'RegionTwo', glance_image_id: id, ...more })).status, 202)
    const image = await api.settled(imageId)
    assert.deepEqual(
      [image.status, image.disk_format, image.size, image.hw_disk_bus, image['trait:CUSTOM_X'], image.os_type, image.mine, image.own, image.name, image.os_hidden, image.os_hash_value],
      ['active', 'raw', content.length, 'scsi', 'required', 'linux', 'stays', undefined, 'ours', false, good.os_hash_value],
    )
    assert.deepEqual(asked, [`/image/v2/images/${id}`, `/image/v2/images/${id}/file`].map((url) => ({ url, token: 'member' })))
    assert.deepEqual((await task(imageId)).input.import_req.method, { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: id, ...more })
    assert.equal(await left(), 0)
  }
  asked.length = 0
  const byBearer = await api.make()
  assert.equal((await api.http('POST', `/image/v2/images/${byBearer}/import`, { headers: { authorization: 'Bearer member' }, body: { method: { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: id } } })).status, 202)
  assert.deepEqual([(await api.settled(byBearer)).status, asked.map(({ token }) => token)], ['active', ['member', 'member']])
})

test('what is not asked for rightly is refused at once; what is nowhere in the catalogue, or must not be reached, fails', async () => {
  asked.length = 0
  const imageId = await api.make()
  for (const [method, why] of [
    [{ glance_image_id: id }, /glance_region/], [{ glance_region: 'RegionTwo' }, /glance_image_id/], [{ glance_region: 'RegionTwo', glance_image_id: '../../etc' }, /does not look like a UUID/], [{ glance_region: 5, glance_image_id: id }, /./],
  ] as const) {
    const reply = await bring(imageId, method)
    assert.deepEqual([reply.status, why.test(JSON.stringify(reply.body))], [400, true], JSON.stringify(method))
  }
  for (const [method, why] of [
    [{ glance_region: 'None' }, /No glance endpoint/], [{ glance_region: 'RegionTwo', glance_service_interface: 'admin' }, /No glance endpoint/], [{ glance_region: 'RegionTwo', glance_service_interface: 'http://x' }, /No glance endpoint/],
    [{ glance_region: 'RegionThree' }, /not allowed/],
  ] as const) {
    assert.equal((await bring(imageId, { ...method, glance_image_id: id })).status, 202)
    assert.equal((await api.settled(imageId)).status, 'queued')
    assert.ok((await api.call('member', 'image', 'listImageTasks', { params: { image_id: imageId } })).body.tasks.some((each: any) => each.status === 'failure' && why.test(each.message)), String(why))
  }
  const plain = await startImage()
  assert.equal((await plain.call('member', 'image', 'importImage', { params: { image_id: await plain.make() }, body: { method: { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: id } } })).status, 400, 'it is off unless configured')
  await plain.close()
  assert.equal((await bring(await api.make({ container_format: null }), { glance_region: 'RegionTwo', glance_image_id: id })).status, 409)
  assert.deepEqual([asked.length, await left()], [0, 0])
})

test('what is not as it was described leaves the image as it was, and says why', async () => {
  const fails = async (why: RegExp): Promise<void> => {
    const imageId = await api.make({ mine: 'stays' })
    assert.equal((await bring(imageId, { glance_region: 'RegionTwo', glance_image_id: id })).status, 202)
    const image = await api.settled(imageId), ended = await task(imageId)
    assert.deepEqual([image.status, image.size, image.hw_disk_bus, image.mine, ended.status, await left()], ['queued', null, undefined, 'stays', 'failure', 0], ended.message)
    assert.match(ended.message, why)
  }
  try {
    for (const [description, why] of [
      [{ ...good, status: 'queued' }, /active instead of queued/], [{ ...good, size: null }, /size/], [{ ...good, size: 5 }, /said 5/], [{ ...good, os_hash_value: '0'.repeat(128) }, /hashes differ/], [{ ...good, os_hash_algo: 'sha256', checksum: '0'.repeat(32) }, /hashes differ/],
      [{ ...good, disk_format: 'strange' }, /not known/], [{ ...good, hw_disk_bus: 5 }, /not of type/], [{ ...good, ...Object.fromEntries(Array.from({ length: 200 }, (_x, i) => [`hw_${i}`, 'x'])) }, /properties/], ['no JSON', /something other/], ['"x"', /something other/], ['x'.repeat(2 * 1024 ** 2), /larger/],
      [{ ...good, disk_format: 'qcow2' }, /qcow2 was declared/],
    ] as const) {
      said = description
      await fails(why)
    }
    said = good
    bytes = gzipSync(content)
    await fails(/bytes, where/)
    bytes = content
    redirects = true
    await fails(/not followed/)
    assert.ok(!asked.some(({ url }) => url === '/elsewhere'))
  } finally {
    said = good
    bytes = content
    redirects = false
  }
})

test('without the token of the request, as after the end of the process that was asked, it fails truthfully', async () => {
  const { tokens } = api.deps, set = tokens.set.bind(tokens), imageId = await api.make()
  tokens.set = () => tokens
  try {
    assert.equal((await bring(imageId, { glance_region: 'RegionTwo', glance_image_id: id })).status, 202)
  } finally {
    tokens.set = set
  }
  assert.equal((await api.settled(imageId)).status, 'queued')
  assert.match((await task(imageId)).message, /Ask again/)
  const kept = JSON.stringify(await api.runner.list({ resourceId: `image:${imageId}` }))
  assert.ok(!kept.includes('"member"'))
})

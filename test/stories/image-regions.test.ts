// An image comes from one region to another by glance-download: a real catalogue, a real token, and a cloud that is its own other region.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { configOf, imageSettings } from '#services/image/settings.ts'
import { testCloud } from '../cloud.ts'

test('an image of another region, asked for by its owner and by somebody who may not see it', async () => {
  const images = imageSettings({ importMethods: ['glance-direct', 'glance-download'], glanceDownload: { networks: { allow: ['127.0.0.1/32'] } } })
  assert.deepEqual(configOf(images).glanceDownload.rules.networks.allow, ['127.0.0.1/32'])
  const cloud = await testCloud({ images })
  try {
    const [demo, admin] = [await cloud.login(), await cloud.login('admin')], bytes = randomBytes(300_000)
    const { body: { services: [service] } } = await cloud.http(admin, 'GET', '/identity/v3/services?type=image')
    assert.equal((await cloud.http(admin, 'POST', '/identity/v3/regions', { region: { id: 'RegionTwo' } })).status, 201)
    assert.equal((await cloud.http(admin, 'POST', '/identity/v3/endpoints', { endpoint: { service_id: service.id, region_id: 'RegionTwo', interface: 'public', url: `${cloud.url}/image` } })).status, 201)
    const make = async (token: string, more = {}): Promise<string> => (await cloud.http(token, 'POST', '/image/v2/images', { disk_format: 'raw', container_format: 'bare', visibility: 'private', ...more })).body.id
    const show = async (token: string, id: string): Promise<any> => (await cloud.http(token, 'GET', `/image/v2/images/${id}`)).body
    const source = await make(demo, { hw_disk_bus: 'scsi' })
    assert.equal((await fetch(`${cloud.url}/image/v2/images/${source}/file`, { method: 'PUT', body: bytes, headers: { 'x-auth-token': demo, 'content-type': 'application/octet-stream' } })).status, 204)
    const bring = async (id: string, image: string): Promise<any> => {
      assert.equal((await cloud.http(demo, 'POST', `/image/v2/images/${id}/import`, { method: { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: image } })).status, 202)
      return waitFor('the import to end', async () => { const { body: { tasks: [task] } } = await cloud.http(demo, 'GET', `/image/v2/images/${id}/tasks`); return ['success', 'failure'].includes(task?.status) ? task : undefined }, 20_000, 20)
    }
    const copy = await make(demo)
    assert.equal((await bring(copy, source)).status, 'success')
    const [from, to] = [await show(demo, source), await show(demo, copy)]
    assert.deepEqual([to.status, to.os_hash_value, to.hw_disk_bus], ['active', from.os_hash_value, 'scsi'])
    // The token is the user's: what he does not see there he does not get.
    const other = await make(admin)
    const failed = await bring(await make(demo), other)
    assert.deepEqual([failed.status, /status 404/.test(failed.message)], ['failure', true])
    assert.equal((await cloud.http(demo, 'POST', `/image/v2/images/${copy}/import`, { method: { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: source } })).status, 409)
  } finally {
    await cloud.close()
  }
})

// What older image clients send that the `openstack` client does not.
import assert from 'node:assert/strict'
import test from 'node:test'
import { testCloud } from '../cloud.ts'

test('an image is changed in the words of the older media type too, and found by its size', async (t) => {
  const cloud = await testCloud()
  t.after(() => cloud.close())
  const token = await cloud.login()
  const { body: { id } } = await cloud.http(token, 'POST', '/image/v2/images', { name: 'a', disk_format: 'raw', container_format: 'bare' })
  const patch = (body: unknown) => cloud.http(token, 'PATCH', `/image/v2/images/${id}`, body, { 'content-type': 'application/openstack-images-v2.0-json-patch' })
  const changed = await patch([{ replace: '/name', value: 'b' }, { add: '/colour', value: 'red' }])
  assert.deepEqual([changed.status, changed.body.name, changed.body.colour], [200, 'b', 'red'])
  assert.equal((await patch([{ remove: '/colour' }])).body.colour, undefined)
  for (const bad of [[{ value: 'c' }], [{ op: 'replace', value: 'c' }], [{ add: '/name', replace: '/name', value: 'c' }], [{ op: 'x', path: '/name', value: 'c' }]]) {
    assert.equal((await patch(bad)).status, 400, JSON.stringify(bad))
  }
  const size = 1024 ** 2
  const found = await cloud.http(token, 'GET', `/image/v2/images?size=${size}`)
  assert.deepEqual(found.body.images.map((i: { name: string }) => i.name), ['pileus-guest'])
  assert.deepEqual((await cloud.http(token, 'GET', `/image/v2/images?size=${size + 1}`)).body.images, [])
})

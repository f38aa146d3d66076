// A server's life on a whole cloud with fake drivers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { testCloud } from '../cloud.ts'

test('create, list, stop, start, delete: and nothing is left', async (t) => {
  const cloud = await testCloud()
  t.after(() => cloud.close())
  const token = await cloud.login()
  const portsBefore = (await cloud.http(token, 'GET', '/network/v2.0/ports')).body.ports.length as number

  const id = await cloud.boot(token)
  const server = await cloud.settled(token, id, 'ACTIVE', 'ERROR')
  assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
  assert.equal(server.addresses.private.length, 1)
  assert.deepEqual((await cloud.http(token, 'GET', '/compute/v2.1/servers/detail')).body.servers.map((s: { id: string }) => s.id), [id])

  assert.equal((await cloud.http(token, 'POST', `/compute/v2.1/servers/${id}/action`, { 'os-stop': null })).status, 202)
  await cloud.settled(token, id, 'SHUTOFF')
  assert.equal((await cloud.http(token, 'POST', `/compute/v2.1/servers/${id}/action`, { 'os-start': null })).status, 202)
  await cloud.settled(token, id, 'ACTIVE')

  const { body: { trace } } = await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}/trace`)
  assert.deepEqual(trace.steps.filter((s: { missing?: boolean }) => s.missing).map((s: { step: number }) => s.step), [])

  assert.equal((await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
  await cloud.gone(token, id)
  assert.equal((await cloud.http(token, 'GET', '/network/v2.0/ports')).body.ports.length, portsBefore)
  assert.equal((await cloud.hypervisor.list(cloud.context({ userId: '', roles: [] }))).length, 0)
  const admin = await cloud.login('admin')
  const { body: { resource_providers: [provider] } } = await cloud.http(admin, 'GET', '/placement/resource_providers')
  assert.deepEqual((await cloud.http(admin, 'GET', `/placement/resource_providers/${provider.uuid}/usages`)).body.usages, { DISK_GB: 0, MEMORY_MB: 0, VCPU: 0 })
})

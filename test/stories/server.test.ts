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

test('files that a user wants in the guest are on its config drive, and are kept nowhere else', async (t) => {
  const cloud = await testCloud()
  t.after(() => cloud.close())
  const token = await cloud.login(), drives: Record<string, string>[] = [], real = cloud.hypervisor.ensure.bind(cloud.hypervisor)
  cloud.hypervisor.ensure = (ctx, spec) => { drives.push(spec.configDrive ?? {}); return real(ctx, spec) }
  const base64 = (text: string): string => Buffer.from(text).toString('base64'), text = (bytes: string | undefined): string => Buffer.from(bytes!, 'base64').toString()
  const create = (personality: object[], version = '2.56') => cloud.http(token, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }], config_drive: true, personality } }, { 'openstack-api-version': `compute ${version}` })
  const kept = (): Promise<unknown[]> => cloud.store.read((tx) => tx.db.selectFrom('computeServerFiles').selectAll().execute())
  const files = [{ path: '/etc/motd', contents: base64('welcome') }, { path: '/é/"quoted"', contents: `${base64('second')}\n` }]

  const mend = cloud.hypervisor.fail({ operation: 'ensure' })
  await cloud.settled(token, (await create(files)).body.server.id, 'ERROR')
  assert.deepEqual(await kept(), [])
  mend()
  const { body: { server: { id } } } = await create(files)
  await cloud.settled(token, id, 'ACTIVE')
  assert.deepEqual(await kept(), [])
  for (const drive of drives) {
    for (const version of ['latest', '2012-08-10']) assert.deepEqual(JSON.parse(text(drive[`openstack/${version}/meta_data.json`])).files, [{ content_path: '/content/0000', path: '/etc/motd' }, { content_path: '/content/0001', path: '/é/"quoted"' }])
    assert.deepEqual([text(drive['openstack/content/0000']), text(drive['openstack/content/0001'])], ['welcome', 'second'])
  }
  assert.equal(drives.length, 2)
  await cloud.settled(token, await cloud.boot(token, { config_drive: true }), 'ACTIVE')
  assert.equal(JSON.parse(text(drives[2]!['openstack/latest/meta_data.json'])).files, undefined)

  const one = { path: '/a', contents: base64('x') }
  assert.equal((await create([one], '2.57')).status, 400)
  assert.equal((await create([{ path: '/a', contents: 'no base64!' }])).status, 400)
  assert.equal((await create([{ path: '/a' }])).status, 400)
  assert.equal((await create(Array.from({ length: 6 }, () => one))).status, 403)
  assert.equal((await create([{ ...one, path: `/${'a'.repeat(255)}` }])).status, 403)
  assert.equal((await create([{ ...one, contents: base64('x'.repeat(10_241)) }])).status, 403)
  assert.deepEqual(await kept(), [])
})

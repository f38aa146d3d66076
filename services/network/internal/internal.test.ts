// What compute's sagas and agents rely on: every call may come twice, and what the user brought is never lost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#base/ids.ts'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)
const call = (operation: string, request: object): Promise<any> => api.client('network').call(api.as('compute', testProjectId), operation, request).then((r) => r.body)
const ensure = (id: string, networkId: string, values: object = {}): Promise<any> => call('ensurePort', { params: { port_id: id }, body: { port: { network_id: networkId, project_id: testProjectId, device_id: 'server-1', ...values } } })
const bind = (id: string, device = 'server-1', host = 'host-1'): Promise<any> => call('bindPort', { params: { port_id: id }, body: { host, device_id: device } })

test('ensure twice is once; another one under the same id is refused', async () => {
  const subnet = await me.subnet(), id = newId()
  const first = await ensure(id, subnet.network_id), again = await ensure(id, subnet.network_id)
  assert.deepEqual(again, first)
  assert.deepEqual([first.port.device_id, first.port.network_name, first.port.mtu, first.port.fixed_ips.length, first.port.security_groups[0].name], ['server-1', 'n', 1450, 1, 'default'])
  await assert.rejects(ensure(id, subnet.network_id, { device_id: 'server-2' }), { kind: 'conflict' })
  const twice = newId()
  const both = await Promise.all([ensure(twice, subnet.network_id), ensure(twice, subnet.network_id)])
  assert.deepEqual(both[0], both[1])
})

test('ensure refuses what the user could not have asked for', async () => {
  const foreign = await me.subnet({}, 'other'), own = await me.subnet()
  await assert.rejects(ensure(newId(), foreign.network_id), { kind: 'notFound', type: 'NetworkNotFound' })
  await assert.rejects(ensure(newId(), own.network_id, { security_groups: [(await me.make('createSecurityGroup', 'security_group', {}, 'other')).id] }), { type: 'SecurityGroupNotFound' })
  await assert.rejects(ensure(newId(), own.network_id, { fixed_ips: [{ ip_address: '10.50.0.1' }] }), { type: 'InvalidIpForNetwork' })
  await me.ok('updateQuotas', { params: { project_id: testProjectId }, body: { quota: { port: 0 } } }, 'admin')
  await assert.rejects(ensure(newId(), own.network_id), { kind: 'overQuota' })
  await me.ok('deleteQuotas', { params: { project_id: testProjectId } }, 'admin')
})

test('a network shared with all: whose it is chooses addresses, others take what they are given', async () => {
  const shared = await me.network({ shared: true }, 'admin'), subnet = await me.subnet({ network_id: shared.id, gateway_ip: '10.1.0.1' }, 'admin')
  // Nobody here holds the gateway's address: it is a machine's of the operator.
  for (const wish of [{ ip_address: '10.1.0.1' }, { ip_address: '10.1.0.77' }, { subnet_id: subnet.id, ip_address: '10.1.0.77' }]) await assert.rejects(ensure(newId(), shared.id, { fixed_ips: [wish] }), { kind: 'forbidden', type: 'PolicyNotAuthorized' })
  assert.equal((await ensure(newId(), shared.id)).port.fixed_ips.length, 1)
  assert.equal((await ensure(newId(), shared.id, { fixed_ips: [{ subnet_id: subnet.id }] })).port.fixed_ips.length, 1)
})

test('binding: one device at a time; unbinding by another is nothing; what the user brought stays his', async () => {
  const subnet = await me.subnet(), port = await me.port(subnet.network_id, { name: 'mine' })
  assert.equal((await bind(port.id)).port.host, 'host-1')
  await bind(port.id)
  await assert.rejects(bind(port.id, 'server-2'), { type: 'PortInUse' })
  await assert.rejects(bind(newId()), { type: 'PortNotFound' })
  await assert.rejects(call('bindPort', { params: { port_id: port.id }, body: { host: 'host-1', device_id: 'server-1', project_id: testOtherProjectId } }), { type: 'PortNotFound' })
  await call('unbindPort', { params: { port_id: port.id }, body: { device_id: 'server-2' } })
  const shown = async (): Promise<any> => (await me.ok('showPort', { params: { port_id: port.id } }, 'admin')).port
  assert.deepEqual([(await shown()).device_id, (await shown()).device_owner, (await shown())['binding:host_id']], ['server-1', 'compute:nova', 'host-1'])
  await call('unbindPort', { params: { port_id: port.id }, body: { device_id: 'server-1', keep_device: true } })
  assert.deepEqual([(await shown()).device_id, (await shown())['binding:host_id']], ['server-1', ''])
  for (let i = 0; i < 2; i++) await call('unbindPort', { params: { port_id: port.id }, body: { device_id: 'server-1' } })
  assert.deepEqual([(await shown()).device_id, (await shown()).device_owner, (await shown()).name], ['', '', 'mine'])
  const router = await me.make('createRouter', 'router', {}), joined = await me.ok('addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
  await assert.rejects(bind(joined.port_id, router.id), { type: 'PortInUse' })
})

test('whose card is in a server does not make it another server\'s', async () => {
  const subnet = await me.subnet({}, 'other'), port = await me.port(subnet.network_id, {}, 'other')
  await bind(port.id, 'his-server')
  for (const values of [{ device_id: 'my-server' }, { device_owner: 'compute:elsewhere' }]) await me.refused('409 PortInUse', 'updatePort', { params: { port_id: port.id }, body: { port: values } }, 'other')
  await me.ok('updatePort', { params: { port_id: port.id }, body: { port: { name: 'x', device_id: 'his-server' } } }, 'other')
  assert.deepEqual((await call('describePorts', { body: { device_ids: ['my-server'] } })).ports, [])
})

test('one port for two servers at once: one of them', async () => {
  const subnet = await me.subnet(), port = await me.port(subnet.network_id)
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_x, i) => bind(port.id, `server-${i}`)))
  assert.equal(outcomes.filter((o) => o.status === 'fulfilled').length, 1)
})

test('removing twice is fine', async () => {
  const subnet = await me.subnet(), id = newId()
  await ensure(id, subnet.network_id)
  await bind(id)
  for (let i = 0; i < 2; i++) await call('removePort', { params: { port_id: id } })
  await me.refused('404 PortNotFound', 'showPort', { params: { port_id: id } })
})

test('the cards of many servers in a constant number of statements; a tenant cannot add one to another\'s server', async () => {
  const subnet = await me.subnet()
  const devices = Array.from({ length: 12 }, (_x, i) => `many-${i}`)
  for (const device of devices) { const id = newId(); await ensure(id, subnet.network_id, { device_id: device }); await bind(id, device) }
  await me.port((await me.subnet({}, 'other')).network_id, { device_id: 'many-0', device_owner: 'compute:nova' }, 'other')
  const described = async (ids: string[]): Promise<unknown[]> => (await call('describePorts', { body: { device_ids: ids } })).ports
  const cost = (ids: string[]): Promise<number> => queriesOf(api.store, () => described(ids))
  assert.deepEqual([(await described(devices.slice(0, 1))).length, (await described(devices)).length, (await described([])).length], [1, 12, 0])
  assert.equal(await cost(devices), await cost(devices.slice(0, 1)))
  assert.equal(await cost([]), 0)
})

test('who asks for metadata is known by port, or by network and address', async () => {
  const subnet = await me.subnet(), id = newId(), { port } = await ensure(id, subnet.network_id)
  await assert.rejects(call('metadataOwner', { query: { port_id: id } }), { kind: 'notFound' })
  await bind(id)
  const owner = await call('metadataOwner', { query: { port_id: id } })
  assert.deepEqual([owner.device_id, owner.project_id], ['server-1', testProjectId])
  assert.deepEqual(await call('metadataOwner', { query: { network_id: subnet.network_id, ip: port.fixed_ips[0].ip_address } }), owner)
  await assert.rejects(call('metadataOwner', { query: { network_id: subnet.network_id, ip: '10.1.0.250' } }), { kind: 'notFound' })
})

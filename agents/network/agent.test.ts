// The whole way from the API to the driver, with the fake driver on two hosts: the network host and a compute host.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import type { Stop } from '#kit/bus/bus.ts'
import { createFakeNetworkDriver, type FakeNetworkDriver } from '#drivers/network/fake/driver.ts'
import { testProjectId } from '#kit/testing/api.ts'
import { networkAgentBus } from '#services/network/bus.ts'
import { startNetwork, type TestNetwork } from '#services/network/testing/start.ts'
import { startNetworkAgent } from './agent.ts'

let api: TestNetwork, compute: FakeNetworkDriver, node: FakeNetworkDriver, stops: Stop[]
const warnings: string[] = []
const service = plainContext({ actor: { service: 'compute', userId: '', roles: [] } })

const agentOn = (host: string, driver: FakeNetworkDriver, scanMs = 3_600_000, more: object = {}): Promise<Stop> => startNetworkAgent({ ...more, host, driver, bus: api.bus, log: { ...service.log, warn: (_fields, message) => { warnings.push(message) } }, retryMs: 5, contextFor: (actor) => plainContext({ actor }), scanMs })

before(async () => { api = await startNetwork({ agents: true }) })
after(() => api.close())
beforeEach(async () => {
  warnings.length = 0
  compute = await createFakeNetworkDriver({ netns: 'ns-1' }); node = await createFakeNetworkDriver()
  stops = [await agentOn('compute-1', compute), await agentOn('net-1', node)]
})
afterEach(async () => { for (const stop of stops) await stop() })

const call = async (operation: string, request: object = {}, as = 'member'): Promise<any> => {
  const reply = await api.call<any>(as, 'network', operation, request)
  assert.ok(reply.status < 300, `${operation}: ${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.body
}
const internal = (operation: string, request: object): Promise<any> => api.client('network').call(api.as('compute', testProjectId), operation, request)
const plug = (portId: string, ownerUid = 1000): Promise<any> => api.bus.call(service, networkAgentBus, 'plugPort', { portId, ownerUid }, { target: 'compute-1' })

interface Made { networkId: string, subnetId: string, portId: string }
async function aServerPort(values: object = {}, cidr = '10.7.0.0/24'): Promise<Made> {
  const networkId = (await call('createNetwork', { body: { network: { name: 'n' } } })).network.id
  const subnetId = (await call('createSubnet', { body: { subnet: { network_id: networkId, ip_version: 4, cidr, dns_nameservers: ['9.9.9.9'] } } })).subnet.id
  const portId = newId()
  await internal('ensurePort', { params: { port_id: portId }, body: { port: { network_id: networkId, project_id: testProjectId, device_id: `server-${portId}`, ...values } } })
  await internal('bindPort', { params: { port_id: portId }, body: { host: 'compute-1', device_id: `server-${portId}` } })
  return { networkId, subnetId, portId }
}
const shown = async (portId: string): Promise<any> => (await call('showPort', { params: { port_id: portId } })).port

test('a port is wired when it is plugged, and only then; DHCP stands on the network host with its lease', async () => {
  const { networkId, portId } = await aServerPort()
  assert.equal((await shown(portId)).status, 'DOWN')
  const device = await plug(portId)
  assert.equal(device.netns, 'ns-1')
  assert.equal(device.mtu, 1450)
  assert.equal(device.mac, (await shown(portId)).mac_address)
  assert.equal((await shown(portId)).status, 'ACTIVE')
  assert.equal(compute.standing.ports.get(portId)?.ownerUid, 1000)
  assert.equal(compute.standing.networks.get(networkId)?.dhcpPort, undefined)

  const served = await waitFor('DHCP', () => node.standing.networks.get(networkId), 5000)
  assert.ok(served.dhcpPort)
  assert.deepEqual(served.leases.map((l) => [l.portId, l.hostname]), [[portId, `host-${(await shown(portId)).fixed_ips[0].ip_address.replaceAll('.', '-')}`]])
  assert.deepEqual(served.subnets[0]?.dnsServers, ['9.9.9.9'])
})

test('a port that is not bound here is not wired', async () => {
  const { portId } = await aServerPort()
  await internal('unbindPort', { params: { port_id: portId }, body: { device_id: `server-${portId}`, keep_device: true } })
  await assert.rejects(plug(portId), { kind: 'conflict', type: 'PortNotBound' })
  assert.equal(compute.standing.ports.has(portId), false)
})

test('a rule reaches the running port at once, and leaves it at once; so does a member of a group that a rule names', async () => {
  const { portId } = await aServerPort()
  await plug(portId)
  const groupId = (await shown(portId)).security_groups[0]
  const { security_group_rule: rule } = await call('createSecurityGroupRule', { body: { security_group_rule: { security_group_id: groupId, direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '198.51.100.7/24' } } })
  const ssh = (): unknown => compute.standing.ports.get(portId)?.rules.find((r) => r.portMin === 22)
  assert.deepEqual(await waitFor('the rule', ssh, 5000), { direction: 'ingress', ipVersion: 4, protocol: 'tcp', portMin: 22, portMax: 22, remote: ['198.51.100.0/24'] })
  await call('deleteSecurityGroupRule', { params: { security_group_rule_id: rule.id } })
  await waitFor('the rule to go', () => ssh() === undefined || undefined, 5000)

  // The default group lets its own members in: of which there is a second one now.
  assert.deepEqual(compute.standing.ports.get(portId)?.rules.filter((r) => r.direction === 'ingress').map((r) => [r.ipVersion, r.remoteGroup]).sort(), [[4, groupId], [6, groupId]])
  const other = await aServerPort({}, '10.8.0.0/24') // addresses no earlier member has
  const address = (await shown(other.portId)).fixed_ips[0].ip_address
  const isMember = (): boolean => compute.standing.groups.get(groupId)?.addresses.includes(address) === true
  await waitFor('the new member', () => isMember() || undefined, 5000)
  await internal('removePort', { params: { port_id: other.portId } })
  await waitFor('the member to leave', () => !isMember() || undefined, 5000)
})

test('a group stands where rules name it, and goes with the last of them', async () => {
  const { portId } = await aServerPort()
  await plug(portId)
  const groupId = (await call('createSecurityGroup', { body: { security_group: { name: 'own' } } })).security_group.id
  await call('updatePort', { params: { port_id: portId }, body: { port: { security_groups: [groupId] } } })
  const named = (await call('createSecurityGroup', { body: { security_group: { name: 'named' } } })).security_group
  const { security_group_rule: rule } = await call('createSecurityGroupRule', { body: { security_group_rule: { security_group_id: groupId, direction: 'ingress', remote_group_id: named.id } } })
  await waitFor('the group', () => compute.standing.groups.has(named.id) || undefined, 5000)
  assert.equal(node.standing.groups.size, 0, 'a host without such ports holds none')
  await call('deleteSecurityGroupRule', { params: { security_group_rule_id: rule.id } })
  await waitFor('the group to go', () => !compute.standing.groups.has(named.id) || undefined, 5000)
  // Another rule later finds it as it is then.
  await call('createSecurityGroupRule', { body: { security_group_rule: { security_group_id: groupId, direction: 'ingress', remote_group_id: named.id } } })
  await call('updatePort', { params: { port_id: portId }, body: { port: { security_groups: [groupId, named.id] } } })
  await waitFor('the group with its member', () => compute.standing.groups.get(named.id)?.addresses.length === 1 || undefined, 5000)
  await call('deletePort', { params: { port_id: portId } })
  await waitFor('port and group to go', () => (!compute.standing.ports.has(portId) && !compute.standing.groups.has(named.id)) || undefined, 5000)
  assert.deepEqual(warnings, [])
})

test('many guests at once: what they share is looked at a few times, not for each of them', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  await waitFor('DHCP', () => node.standing.networks.get(networkId)?.leases.length === 1 || undefined, 5000)
  const served = (): number => node.calls.filter((c) => c.call === 'ensureNetwork' && c.id === networkId).length, before = served(), more = 12
  for (let i = 0; i < more; i++) {
    const id = newId()
    await internal('ensurePort', { params: { port_id: id }, body: { port: { network_id: networkId, project_id: testProjectId, device_id: id } } })
    await internal('bindPort', { params: { port_id: id }, body: { host: 'compute-1', device_id: id } })
    await plug(id)
  }
  await waitFor('all leases', () => node.standing.networks.get(networkId)?.leases.length === more + 1 || undefined, 5000)
  assert.ok(served() - before < more, `looked at ${served() - before} times`)
})

test('what waits for its turn holds up nothing that does not', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  await stops.shift()!()
  stops.unshift(await agentOn('compute-1', compute, 3_600_000, { sharedMs: 3_600_000 }))
  // The first look at the network and at the group is at once, the next in an hour.
  const told = (touched: object): Promise<void> => api.store.tx((tx) => api.bus.cast(tx, service, networkAgentBus, 'changed', touched, { target: 'compute-1' }))
  const before = compute.calls.length
  await told({ networks: [networkId] })
  await waitFor('the first look', () => compute.calls.slice(before).some((c) => c.call === 'ensureNetwork') || undefined, 5000)
  for (let i = 0; i < 40; i++) await told({ networks: [networkId] })
  const [groupId] = (await shown(portId)).security_groups
  await call('createSecurityGroupRule', { body: { security_group_rule: { security_group_id: groupId, direction: 'ingress', protocol: 'tcp', port_range_min: 22, port_range_max: 22 } } })
  await waitFor('the rule', () => compute.standing.ports.get(portId)?.rules.some((r) => r.protocol === 'tcp') || undefined, 5000)
})

test('a card whose network was damaged meanwhile is wired all the same', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  compute.standing.ports.delete(portId)
  compute.standing.networks.delete(networkId)
  compute.standing.groups.clear()
  await plug(portId)
  assert.ok(compute.standing.networks.has(networkId) && compute.standing.ports.has(portId))
})

test('deleting a port takes it off its host; the network goes with its last port', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  await internal('removePort', { params: { port_id: portId } })
  await waitFor('the port and its network to go', () => (!compute.standing.ports.has(portId) && !compute.standing.networks.has(networkId) && !node.standing.networks.has(networkId)) || undefined, 5000)
  await internal('removePort', { params: { port_id: portId } })
})

test('a floating IP is active when the router has it', async () => {
  const { subnetId, portId } = await aServerPort()
  const outside = (await call('createNetwork', { body: { network: { 'router:external': true } } }, 'admin')).network.id
  await call('createSubnet', { body: { subnet: { network_id: outside, ip_version: 4, cidr: '172.24.4.0/24', enable_dhcp: false } } }, 'admin')
  const router = (await call('createRouter', { body: { router: { external_gateway_info: { network_id: outside } } } })).router
  await call('addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnetId } })
  const { floatingip } = await call('createFloatingIp', { body: { floatingip: { floating_network_id: outside, port_id: portId } } })
  assert.equal(floatingip.router_id, router.id)
  const fixed = floatingip.fixed_ip_address
  const spec = await waitFor('the floating IP', () => { const r = node.standing.routers.get(router.id); return r?.floatingIps.length ? r : undefined }, 5000)
  assert.deepEqual(spec.floatingIps, [{ id: floatingip.id, address: floatingip.floating_ip_address, fixedIp: fixed }])
  assert.deepEqual(spec.interfaces.map((i) => i.cidrs), [['10.7.0.1/24']])
  assert.deepEqual(spec.gateway?.nextHops, ['172.24.4.1'])
  await waitFor('ACTIVE', async () => (await call('showFloatingIp', { params: { floatingip_id: floatingip.id } })).floatingip.status === 'ACTIVE' || undefined, 5000)
  assert.deepEqual((await call('listFloatingIps', { query: { status: 'ACTIVE' } })).floatingips.length, 1)

  await call('updateFloatingIp', { params: { floatingip_id: floatingip.id }, body: { floatingip: { port_id: null } } })
  assert.equal((await call('showFloatingIp', { params: { floatingip_id: floatingip.id } })).floatingip.status, 'DOWN')
  await waitFor('it to go', () => node.standing.routers.get(router.id)?.floatingIps.length === 0 || undefined, 5000)

  await call('deleteFloatingIp', { params: { floatingip_id: floatingip.id } })
  await call('removeRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnetId } })
  await call('deleteRouter', { params: { router_id: router.id } })
  await waitFor('the router to go', () => (!node.standing.routers.has(router.id) && !node.standing.networks.has(outside)) || undefined, 5000)
  assert.deepEqual(warnings, [], 'nothing is removed before what stands on it')
})

test('an early message that meets a late state takes things down in their order', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  // The removal is committed without a word to the agent, and then only the network is spoken of.
  await api.store.as<any>().tx(async (tx) => {
    for (const table of ['networkAddresses', 'networkPortGroups']) await tx.db.deleteFrom(table).where('portId', '=', portId).execute()
    await tx.db.deleteFrom('networkPorts').where('id', '=', portId).execute()
    await tx.db.insertInto('networkRemoved').values({ kind: 'port', resourceId: portId, removedAt: '' }).execute()
    await api.bus.cast(tx, service, networkAgentBus, 'changed', { networks: [networkId] }, { target: 'compute-1' })
  })
  await waitFor('both to go', () => (!compute.standing.ports.has(portId) && !compute.standing.networks.has(networkId)) || undefined, 5000)
  assert.deepEqual(warnings, [])
})

test('what failed is tried again; meanwhile the port says so', async () => {
  const { portId } = await aServerPort()
  compute.fail({ call: 'ensurePort', id: portId })
  await assert.rejects(plug(portId))
  assert.equal((await shown(portId)).status, 'ERROR')
  await plug(portId)
  assert.equal((await shown(portId)).status, 'ACTIVE')
})

test('a new agent adopts what stands, makes what is missing, removes what was removed meanwhile, and leaves strangers alone', async () => {
  const kept = await aServerPort(), lost = await aServerPort(), gone = await aServerPort()
  for (const { portId } of [kept, lost, gone]) await plug(portId, 1234)
  await stops.shift()!()
  const stranger = newId()
  compute.standing.networks.set(stranger, { ...compute.standing.networks.get(kept.networkId)!, id: stranger })
  compute.standing.ports.set(stranger, { ...compute.standing.ports.get(kept.portId)!, id: stranger, networkId: stranger })
  compute.standing.ports.delete(lost.portId)
  await internal('removePort', { params: { port_id: gone.portId } })
  stops.unshift(await agentOn('compute-1', compute))
  await waitFor('the host to be right', () => (compute.standing.ports.has(lost.portId) && !compute.standing.ports.has(gone.portId) && !compute.standing.networks.has(gone.networkId)) || undefined, 5000)
  assert.equal(compute.standing.ports.get(lost.portId)?.ownerUid, 1234, 'who may open the tap is remembered')
  assert.ok(compute.standing.ports.has(stranger) && compute.standing.networks.has(stranger))
})

test('the full scan finds what no message told of', async () => {
  const { portId } = await aServerPort()
  await plug(portId)
  await stops.shift()!()
  stops.unshift(await agentOn('compute-1', compute, 20))
  await waitFor('adoption', () => compute.standing.ports.has(portId) || undefined, 5000)
  compute.standing.ports.delete(portId)
  await waitFor('repair', () => compute.standing.ports.has(portId) || undefined, 5000)
})

test('a change that fails on the host is tried until it is there', async () => {
  const { networkId, portId } = await aServerPort()
  await plug(portId)
  compute.fail({ call: 'ensureNetwork', id: networkId, times: 3 })
  await call('updateNetwork', { params: { network_id: networkId }, body: { network: { mtu: 1400 } } })
  await waitFor('the new MTU', () => compute.standing.networks.get(networkId)?.mtu === 1400 || undefined, 5000)
})

test('agents are listed while they live', async () => {
  const { agents } = await call('listAgents', { query: { host: 'compute-1' } }, 'admin')
  assert.deepEqual(agents.map((a: any) => [a.host, a.alive, a.configurations.driver]), [['compute-1', true, 'fake']])
  const { availability_zones: zones } = await call('listAvailabilityZones')
  assert.deepEqual(zones.map((z: any) => z.state), ['available', 'available'])
})

test('unplugging takes the card away and says so', async () => {
  const { portId } = await aServerPort()
  await plug(portId)
  await api.bus.call(service, networkAgentBus, 'unplugPort', { portId }, { target: 'compute-1' })
  assert.equal(compute.standing.ports.has(portId), false)
  assert.equal((await shown(portId)).status, 'DOWN')
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)

test('a subnet has the shape that neutron gives it', async () => {
  const network = await me.network()
  const { id: _i, created_at: _c, updated_at: _u, tenant_id: _t, project_id: _p, ...rest } = await me.subnet({ network_id: network.id, name: 's', cidr: '10.0.0.9/24', dns_nameservers: ['9.9.9.9'], host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }] })
  assert.deepEqual(rest, {
    name: 's', description: '', revision_number: 0, network_id: network.id, ip_version: 4, subnetpool_id: null, enable_dhcp: true, ipv6_ra_mode: null, ipv6_address_mode: null, gateway_ip: '10.0.0.1', cidr: '10.0.0.0/24',
    allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }], host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }], dns_nameservers: ['9.9.9.9'], tags: [],
  })
  assert.deepEqual((await me.ok('showNetwork', { params: { network_id: network.id } })).network.subnets.length, 1)
})

test('what a subnet may not look like', async () => {
  const network = await me.network()
  const no = (expected: string, values: object): Promise<void> => me.refused(expected, 'createSubnet', { body: { subnet: { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24', ...values } } })
  await no('400 HTTPBadRequest', { cidr: 'nonsense' })
  await no('400 HTTPBadRequest', { cidr: '10.0.0.0' })
  await no('400 HTTPBadRequest', { cidr: '10.0.0.0/33' })
  await no('400 HTTPBadRequest', { ip_version: 5 })
  await no('400 InvalidInput', { ip_version: 6 })
  await no('400 InvalidInput', { cidr: '224.0.0.0/24' })
  await no('400 InvalidInput', { cidr: '127.0.0.0/24' })
  await no('400 InvalidInput', { cidr: '10.0.0.0/31' })
  await no('400 InvalidInput', { gateway_ip: '10.0.0.255' })
  await no('400 InvalidInput', { gateway_ip: '10.0.0.0' })
  await no('400 InvalidInput', { gateway_ip: '2001:db8::1' })
  await no('409 GatewayConflictWithAllocationPools', { gateway_ip: '10.0.0.10', allocation_pools: [{ start: '10.0.0.5', end: '10.0.0.20' }] })
  await no('400 OutOfBoundsAllocationPool', { allocation_pools: [{ start: '10.0.0.5', end: '10.0.1.20' }] })
  await no('400 InvalidAllocationPool', { allocation_pools: [{ start: '10.0.0.20', end: '10.0.0.5' }] })
  await no('409 OverlappingAllocationPools', { allocation_pools: [{ start: '10.0.0.5', end: '10.0.0.20' }, { start: '10.0.0.20', end: '10.0.0.30' }] })
  await no('400 HTTPBadRequest', { dns_nameservers: ['nonsense'] })
  await no('400 HTTPBadRequest', { host_routes: [{ destination: '10.9.0.0/16', nexthop: 'nonsense' }] })
  await no('400 InvalidInput', { host_routes: [{ destination: '10.9.0.0/16', nexthop: '2001:db8::1' }] })
  await no('400 InvalidInput', { ipv6_ra_mode: 'slaac' })
  const six = (values: object): Promise<void> => no('400 InvalidInput', { ip_version: 6, cidr: '2001:db8::/64', ...values })
  await six({ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'dhcpv6-stateful' })
  await six({ ipv6_ra_mode: 'slaac', enable_dhcp: false })
  await six({ ipv6_address_mode: 'slaac', cidr: '2001:db8::/80' })
  await me.subnet({ network_id: network.id, cidr: '10.0.0.0/25' })
  await no('400 InvalidInput', {})
})

test('overlapping subnets made at once: one of them', async () => {
  const network = await me.network()
  const replies = await Promise.all(Array.from({ length: 8 }, (_x, i) => api.call<any>('member', 'network', 'createSubnet', { body: { subnet: { network_id: network.id, ip_version: 4, cidr: `10.0.0.0/${20 + i}` } } })))
  assert.deepEqual(replies.map((r) => r.status).sort(), [201, ...Array.from({ length: 7 }, () => 400)])
})

test('DHCP has a port while a subnet has DHCP, with an address in each', async () => {
  const subnet = await me.subnet(), on = subnet.network_id
  const dhcp = async (): Promise<string[][]> => (await me.ok('listPorts', { query: { network_id: on, device_owner: 'network:dhcp' } })).ports.map((p: any) => p.fixed_ips.map((ip: any) => ip.ip_address))
  assert.deepEqual(await dhcp(), [['10.1.0.2']])
  const second = await me.subnet({ network_id: on, cidr: '10.2.0.0/24' })
  assert.deepEqual(await dhcp(), [['10.1.0.2', '10.2.0.2']])
  await me.ok('updateSubnet', { params: { subnet_id: subnet.id }, body: { subnet: { enable_dhcp: false } } })
  assert.deepEqual(await dhcp(), [['10.2.0.2']])
  await me.ok('deleteSubnet', { params: { subnet_id: second.id } })
  assert.deepEqual(await dhcp(), [])
  await me.ok('updateSubnet', { params: { subnet_id: subnet.id }, body: { subnet: { enable_dhcp: true } } })
  assert.equal((await dhcp()).length, 1)
})

test('updating: pools, gateway, and what still uses them', async () => {
  const subnet = await me.subnet(), params = { subnet_id: subnet.id }
  const change = async (values: object): Promise<any> => (await me.ok('updateSubnet', { params, body: { subnet: values } })).subnet
  assert.deepEqual((await change({ allocation_pools: [{ start: '10.1.0.50', end: '10.1.0.60' }] })).allocation_pools, [{ start: '10.1.0.50', end: '10.1.0.60' }])
  assert.equal((await me.port(subnet.network_id)).fixed_ips[0].ip_address, '10.1.0.50')
  await me.refused('409 GatewayConflictWithAllocationPools', 'updateSubnet', { params, body: { subnet: { gateway_ip: '10.1.0.55' } } })
  const router = await me.make('createRouter', 'router', {})
  await me.ok('addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
  await me.refused('409 GatewayIpInUse', 'updateSubnet', { params, body: { subnet: { gateway_ip: '10.1.0.99' } } })
  await me.refused('409 SubnetInUse', 'deleteSubnet', { params })
  const lone = await me.subnet()
  assert.equal((await me.ok('updateSubnet', { params: { subnet_id: lone.id }, body: { subnet: { gateway_ip: null } } })).subnet.gateway_ip, null)
})

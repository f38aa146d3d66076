import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)

test('a network has the shape that neutron gives it; how it is built is for administrators', async () => {
  const { id, created_at: _c, updated_at: _u, ...rest } = await me.network({ name: 'x', description: 'd' })
  assert.deepEqual(rest, {
    'name': 'x', 'tenant_id': testProjectId, 'project_id': testProjectId, 'description': 'd', 'revision_number': 1, 'admin_state_up': true, 'mtu': 1450, 'status': 'ACTIVE', 'shared': false,
    'router:external': false, 'subnets': [], 'port_security_enabled': true, 'dns_domain': '', 'tags': [],
  })
  const seen = (await me.ok('showNetwork', { params: { network_id: id } }, 'admin')).network
  assert.deepEqual([seen['provider:network_type'], seen['provider:physical_network'], Number.isInteger(seen['provider:segmentation_id'])], ['vxlan', null, true])
})

test('segments are unique, asked for or given', async () => {
  const one = await me.network({ 'provider:network_type': 'vxlan', 'provider:segmentation_id': 7777 }, 'admin')
  assert.equal(one['provider:segmentation_id'], 7777)
  const body = (values: object): object => ({ body: { network: values } })
  await me.refused('409 TunnelIdInUse', 'createNetwork', body({ 'provider:segmentation_id': 7777 }), 'admin')
  await me.refused('400 InvalidInput', 'createNetwork', body({ 'provider:network_type': 'vlan' }), 'admin')
  await me.refused('400 InvalidInput', 'createNetwork', body({ 'provider:network_type': 'flat' }), 'admin')
  await me.refused('400 InvalidInput', 'createNetwork', body({ 'provider:network_type': 'flat', 'provider:physical_network': 'nowhere' }), 'admin')
  await me.network({ 'provider:network_type': 'flat', 'provider:physical_network': 'public' }, 'admin')
  await me.refused('409 FlatNetworkInUse', 'createNetwork', body({ 'provider:network_type': 'flat', 'provider:physical_network': 'public' }), 'admin')
  const made = await Promise.all(Array.from({ length: 20 }, () => me.network({}, 'admin')))
  assert.equal(new Set(made.map((n) => n['provider:segmentation_id'])).size, 20)
})

test('a domain is one that a name server can have', async () => {
  assert.equal((await me.network({ dns_domain: 'example.org.' })).dns_domain, 'example.org.')
  await me.refused('400 HTTPBadRequest', 'createNetwork', { body: { network: { dns_domain: 'a b' } } })
})

test('MTU: bounded by what the network can carry', async () => {
  assert.equal((await me.network({ mtu: 1300 })).mtu, 1300)
  await me.refused('400 InvalidInput', 'createNetwork', { body: { network: { mtu: 9000 } } })
  await me.refused('400 InvalidInput', 'createNetwork', { body: { network: { mtu: 67 } } })
})

test('MTU: what IPv6 needs', async () => {
  const small = await me.network({ mtu: 1279 }), six = { ip_version: 6, cidr: '2001:db8:0:1::/64' }, to = (id: string, mtu: number): object => ({ params: { network_id: id }, body: { network: { mtu } } })
  await me.subnet({ network_id: small.id })
  await me.refused('409 NetworkMTUSubnetConflict', 'createSubnet', { body: { subnet: { network_id: small.id, ...six } } })
  await me.ok('updateNetwork', to(small.id, 1280))
  await me.subnet({ network_id: small.id, ...six })
  await me.refused('409 NetworkMTUSubnetConflict', 'updateNetwork', to(small.id, 1279))
  assert.equal((await me.ok('showNetwork', { params: { network_id: small.id } })).network.mtu, 1280)
})

test('what others have on a network keeps it shared, and gateways keep it external', async () => {
  const shared = await me.network({ shared: true }, 'admin')
  await me.port(shared.id, {}, 'other')
  await me.refused('409 InvalidSharedSetting', 'updateNetwork', { params: { network_id: shared.id }, body: { network: { shared: false } } }, 'admin')
  const { networkId } = await me.external()
  await me.make('createRouter', 'router', { external_gateway_info: { network_id: networkId } })
  await me.refused('409 ExternalNetworkInUse', 'updateNetwork', { params: { network_id: networkId }, body: { network: { 'router:external': false } } }, 'admin')
})

test('a network with ports stays; with nothing but DHCP it goes, subnets and counts with it', async () => {
  const used = async (): Promise<any> => { const { quota } = await me.ok('showQuotaDetails', { params: { project_id: testProjectId } }); return [quota.network.used, quota.subnet.used, quota.port.used] }
  const before = await used()
  const subnet = await me.subnet(), params = { network_id: subnet.network_id }
  const port = await me.port(subnet.network_id)
  await me.refused('409 NetworkInUse', 'deleteNetwork', { params })
  await me.ok('deletePort', { params: { port_id: port.id } })
  await me.ok('deleteNetwork', { params })
  await me.refused('404 NetworkNotFound', 'showNetwork', { params })
  await me.refused('404 SubnetNotFound', 'showSubnet', { params: { subnet_id: subnet.id } })
  assert.deepEqual(await used(), before)
})

test('lists show own, shared and external networks; administrators see all', async () => {
  const own = await me.network({ name: 'list' }), shared = await me.network({ name: 'list', shared: true }, 'admin'), others = await me.network({ name: 'list' }, 'other')
  const ids = async (as: string, query: object = {}): Promise<string[]> => (await me.ok('listNetworks', { query: { name: 'list', ...query } }, as)).networks.map((n: any) => n.id).sort()
  assert.deepEqual(await ids('member'), [own.id, shared.id].sort())
  assert.deepEqual(await ids('admin'), [own.id, shared.id, others.id].sort())
  assert.deepEqual(await ids('member', { shared: 'True' }), [shared.id])
  for (const n of [own, shared]) await me.subnet({ network_id: n.id, name: 'list' }, 'admin')
  const subnets = async (query: object): Promise<string[]> => (await me.ok('listSubnets', { query: { name: 'list', ...query } })).subnets.map((s: any) => s.network_id).sort()
  assert.deepEqual([await subnets({ shared: 'True' }), await subnets({ shared: false }), await subnets({ shared: ['true', 'false'] })], [[shared.id], [own.id], [own.id, shared.id].sort()])
  assert.deepEqual(await ids('admin', { project_id: testOtherProjectId }), [others.id])
  assert.deepEqual(await ids('member', { 'router:external': 'False', 'admin_state_up': 'true', 'status': 'ACTIVE' }), [own.id, shared.id].sort())
})

test('faults come in neutron\'s envelope, but a missing token in keystone\'s', async () => {
  const { body, status } = await api.http<any>('GET', '/network/v2.0/networks')
  assert.equal(status, 401)
  assert.equal(body.error.title, 'Unauthorized')
  assert.deepEqual((await api.http<any>('GET', '/network/v2.0/nonsense', { token: 'member' })).body.NeutronError.type, 'HTTPNotFound')
  assert.deepEqual((await api.http<any>('POST', '/network/v2.0/networks', { token: 'member', body: '{' })).body.NeutronError.type, 'HTTPBadRequest')
})

test('version documents', async () => {
  const { body } = await api.http<any>('GET', '/network/')
  assert.deepEqual(body.versions.map((v: any) => [v.id, v.status, v.links[0].href]), [['v2.0', 'CURRENT', `${api.publicUrl}/network/v2.0/`]])
  assert.deepEqual((await api.http<any>('GET', '/network')).body, body)
  assert.ok((await api.http<any>('GET', '/network/v2.0/')).body.resources.some((r: any) => r.name === 'subnet'))
})

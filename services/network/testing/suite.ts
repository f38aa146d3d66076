// What must hold on every database engine: races end as promised, lists narrow, sort and page the same.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#base/ids.ts'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import type { StoreConfig } from '#kit/store/store.ts'
import { callerOf } from './caller.ts'
import { startNetwork, type TestNetwork } from './start.ts'

export function networkSuite(engine: string, database?: () => Promise<StoreConfig>): void {
  let api: TestNetwork
  before(async () => { api = await startNetwork(database ? { database: await database() } : {}) })
  after(() => api?.close())
  const me = callerOf(() => api)
  const all = (n: number, operation: string, body: (i: number) => object, as = 'member'): Promise<{ status: number, body: any }[]> =>
    Promise.all(Array.from({ length: n }, (_x, i) => api.call<any>(as, 'network', operation, { body: body(i) })))
  const words = (replies: { status: number, body: any }[]): string[] => [...new Set(replies.filter((r) => r.status >= 300).map((r) => `${r.status} ${r.body.NeutronError.type}`))]

  test(`${engine}: fifty ports at once on a /28: thirteen, no address twice`, async () => {
    const subnet = await me.subnet({ cidr: '10.1.0.0/28', enable_dhcp: false })
    const replies = await all(50, 'createPort', () => ({ port: { network_id: subnet.network_id } }))
    const made = replies.filter((r) => r.status === 201)
    assert.equal(made.length, 13)
    assert.equal(new Set(made.map((r) => r.body.port.fixed_ips[0].ip_address)).size, 13)
    assert.deepEqual(words(replies), ['409 IpAddressGenerationFailure'])
  })

  test(`${engine}: fifty ports at once against a quota of ten: exactly ten`, async () => {
    const subnet = await me.subnet({ enable_dhcp: false }, 'other')
    await me.ok('updateQuotas', { params: { project_id: testOtherProjectId }, body: { quota: { port: 10 } } }, 'admin')
    const replies = await all(50, 'createPort', () => ({ port: { network_id: subnet.network_id } }), 'other')
    assert.equal(replies.filter((r) => r.status === 201).length, 10)
    assert.deepEqual(words(replies), ['409 OverQuota'])
    assert.equal((await me.ok('showQuotaDetails', { params: { project_id: testOtherProjectId } }, 'other')).quota.port.used, 10)
    await me.ok('deleteQuotas', { params: { project_id: testOtherProjectId } }, 'admin')
  })

  test(`${engine}: one address for twenty: one of them`, async () => {
    const subnet = await me.subnet()
    const replies = await all(20, 'createPort', () => ({ port: { network_id: subnet.network_id, fixed_ips: [{ ip_address: '10.1.0.99' }] } }))
    assert.equal(replies.filter((r) => r.status === 201).length, 1)
    assert.deepEqual(words(replies), ['409 IpAddressInUse'])
  })

  test(`${engine}: overlapping subnets at once: one; segments at once: all different`, async () => {
    const network = await me.network()
    const replies = await all(8, 'createSubnet', (i) => ({ subnet: { network_id: network.id, ip_version: 4, cidr: `10.0.0.0/${20 + i}` } }))
    assert.equal(replies.filter((r) => r.status === 201).length, 1)
    assert.deepEqual(words(replies), ['400 InvalidInput'])
    const networks = await all(20, 'createNetwork', () => ({ network: { name: 'seg' } }), 'admin')
    assert.equal(new Set(networks.map((r) => r.body.network['provider:segmentation_id'])).size, 20)
  })

  test(`${engine}: a project's default group is made once, whoever comes first`, async () => {
    const project = newId().replaceAll('-', '')
    const subnet = await me.subnet({}, 'admin')
    const replies = await all(10, 'createPort', () => ({ port: { network_id: subnet.network_id, project_id: project } }), 'admin')
    assert.deepEqual(words(replies), [])
    assert.equal(new Set(replies.flatMap((r) => r.body.port.security_groups)).size, 1)
  })

  test(`${engine}: a port for eight servers at once: one; the same rule ten times at once: one`, async () => {
    const subnet = await me.subnet(), port = await me.port(subnet.network_id)
    const bound = await Promise.allSettled(Array.from({ length: 8 }, (_x, i) => api.client('network').call(api.as('compute', testProjectId), 'bindPort', { params: { port_id: port.id }, body: { host: 'h', device_id: `s${i}` } })))
    assert.equal(bound.filter((o) => o.status === 'fulfilled').length, 1)
    const group = await me.make('createSecurityGroup', 'security_group', { name: 'g' })
    const rules = await all(10, 'createSecurityGroupRule', () => ({ security_group_rule: { security_group_id: group.id, direction: 'ingress', protocol: 'icmp' } }))
    assert.equal(rules.filter((r) => r.status === 201).length, 1)
    assert.deepEqual(words(rules), ['409 SecurityGroupRuleExists'])
  })

  test(`${engine}: one fixed address for six floating IPs at once: one; one gateway address for six routers: one`, async () => {
    const { networkId } = await me.external()
    const subnet = await me.subnet(), port = await me.port(subnet.network_id)
    const router = await me.make('createRouter', 'router', { external_gateway_info: { network_id: networkId } })
    await me.ok('addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
    const floating = await all(6, 'createFloatingIp', () => ({ floatingip: { floating_network_id: networkId, port_id: port.id } }))
    assert.equal(floating.filter((r) => r.status === 201).length, 1)
    assert.deepEqual(words(floating), ['409 FloatingIPPortAlreadyAssociated'])
    const other = await me.subnet({ cidr: '10.2.0.0/24' }), routers = (await all(6, 'createRouter', () => ({ router: {} }))).map((r) => r.body.router.id)
    const joined = await Promise.all(routers.map((id) => api.call<any>('member', 'network', 'addRouterInterface', { params: { router_id: id }, body: { subnet_id: other.id } })))
    assert.equal(joined.filter((r) => r.status === 200).length, 1)
    assert.deepEqual(words(joined), ['409 IpAddressInUse'])
  })

  test(`${engine}: filters, order and pages`, async () => {
    const subnet = await me.subnet({ enable_dhcp: false }), on = subnet.network_id
    for (const [i, name] of ['b', 'a', 'C', 'a', 'ä'].entries()) await me.port(on, { name, fixed_ips: [{ ip_address: `10.1.0.1${i}` }], device_id: i === 0 ? 'd' : '' })
    const names = async (query: object): Promise<string[]> => (await me.ok('listPorts', { query: { network_id: on, sort_key: 'name', sort_dir: 'asc', ...query } })).ports.map((p: any) => p.name)
    assert.deepEqual(await names({}), ['C', 'a', 'a', 'b', 'ä'])
    assert.deepEqual(await names({ name: 'A' }), [])
    assert.deepEqual(await names({ device_id: '' }), ['C', 'a', 'a', 'ä'])
    assert.deepEqual(await names({ fixed_ips: 'ip_address_substr=0.12' }), ['C'])
    assert.deepEqual(await names({ status: 'DOWN', admin_state_up: 'true' }), ['C', 'a', 'a', 'b', 'ä'])
    assert.deepEqual(await names({ status: 'NONSENSE' }), [])
    const seen: string[] = []
    for (let marker: string | undefined, page: any[] = [{}]; page.length > 0; marker = page.at(-1)?.id) {
      page = (await me.ok('listPorts', { query: { network_id: on, sort_key: 'name', sort_dir: 'desc', limit: 2, ...(marker && { marker }) } })).ports
      seen.push(...page.map((p) => p.name))
    }
    assert.deepEqual(seen, ['ä', 'b', 'a', 'a', 'C'])
    const [rule] = (await me.ok('listSecurityGroupRules', { query: { sort_key: ['port_range_min', 'protocol'], sort_dir: ['asc', 'desc'], limit: 1 } })).security_group_rules
    await me.ok('listSecurityGroupRules', { query: { sort_key: ['port_range_min', 'protocol'], sort_dir: ['asc', 'desc'], limit: 2, marker: rule.id } })
    for (const list of ['listNetworks', 'listRouters', 'listFloatingIps']) for (const status of ['ACTIVE', 'DOWN', 'ERROR']) await me.ok(list, { query: { status } })
    await me.ok('replaceNetworkTags', { params: { network_id: on }, body: { tags: ['x', 'X'] } })
    assert.equal((await me.ok('listNetworks', { query: { tags: 'x,X' } })).networks.length, 1)
    assert.equal((await me.ok('listNetworks', { query: { 'tags-any': 'y' } })).networks.length, 0)
  })

  test(`${engine}: a host's wanted state and reports`, async () => {
    const subnet = await me.subnet(), id = newId()
    const call = (operation: string, request: object): Promise<any> => api.client('network').call(api.as('compute', testProjectId), operation, request)
    await call('ensurePort', { params: { port_id: id }, body: { port: { network_id: subnet.network_id, project_id: testProjectId, device_id: 's' } } })
    await call('bindPort', { params: { port_id: id }, body: { host: 'h-1', device_id: 's' } })
    const { networkBus } = await import('../bus.ts')
    const ctx = api.as('network')
    const wanted = await api.bus.call(ctx, networkBus, 'wantedState', { host: 'h-1', present: { networks: [newId()], groups: [], ports: [], routers: [] } })
    assert.deepEqual([wanted.networks.length, wanted.ports.map((p) => p.spec.id), wanted.unknown.networks.length], [1, [id], 1])
    for (let i = 0; i < 2; i++) await api.bus.call(ctx, networkBus, 'report', { host: 'h-1', ports: [{ id, state: 'up', detail: '7' }] })
    assert.equal((await me.ok('showPort', { params: { port_id: id } })).port.status, 'ACTIVE')
    assert.deepEqual((await me.ok('listPorts', { query: { status: 'ACTIVE', network_id: subnet.network_id } })).ports.map((p: any) => p.id), [id])
    assert.equal((await api.bus.call(ctx, networkBus, 'wantedState', { host: 'h-1', ask: { ports: [id] } })).ports[0]?.spec.ownerUid, 7)
    for (let i = 0; i < 2; i++) await api.bus.call(ctx, networkBus, 'heartbeat', { host: 'h-1', startedAt: new Date().toISOString(), configurations: {} })
    assert.equal((await me.ok('listAgents', { query: { host: 'h-1' } }, 'admin')).agents.length, 1)
  })
}

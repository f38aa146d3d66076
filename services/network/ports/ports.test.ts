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
const addresses = (port: any): string[] => port.fixed_ips.map((ip: any) => ip.ip_address)

test('a port has the shape that neutron gives it', async () => {
  const subnet = await me.subnet()
  const port = await me.port(subnet.network_id, { name: 'p', dns_name: 'web' })
  const { id, created_at, updated_at, mac_address, security_groups, ...rest } = port
  assert.match(mac_address, /^fa:16:3e(:[0-9a-f]{2}){3}$/)
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(security_groups.length, 1)
  assert.deepEqual(rest, {
    'name': 'p', 'network_id': subnet.network_id, 'tenant_id': testProjectId, 'project_id': testProjectId, 'description': '', 'revision_number': 1, 'admin_state_up': true, 'status': 'DOWN',
    'device_id': '', 'device_owner': '', 'fixed_ips': [{ subnet_id: subnet.id, ip_address: '10.1.0.3' }], 'allowed_address_pairs': [], 'port_security_enabled': true, 'binding:vnic_type': 'normal',
    'dns_name': 'web', 'dns_assignment': [{ ip_address: '10.1.0.3', hostname: 'web', fqdn: 'web.openstacklocal.' }], 'tags': [],
  })
  const seen = (await me.ok('showPort', { params: { port_id: id } }, 'admin')).port
  assert.deepEqual([seen['binding:host_id'], seen['binding:vif_type'], seen['binding:profile'], seen['binding:vif_details']], ['', 'unbound', {}, {}])
})

test('addresses: by subnet, by address, none; outside, taken and the broadcast address are refused', async () => {
  const subnet = await me.subnet()
  const on = subnet.network_id, body = (fixed: object[]): object => ({ body: { port: { network_id: on, fixed_ips: fixed } } })
  assert.deepEqual(addresses(await me.port(on, { fixed_ips: [{ ip_address: '10.1.0.77' }] })), ['10.1.0.77'])
  assert.deepEqual(addresses(await me.port(on, { fixed_ips: [{ subnet_id: subnet.id }] })).length, 1)
  assert.deepEqual(addresses(await me.port(on, { fixed_ips: [] })), [])
  const bare = await me.port(on, { fixed_ips: [] }), [group] = (await me.ok('listSecurityGroups', { query: { name: 'default' } })).security_groups
  assert.deepEqual([bare.security_groups, (await me.port(on, { fixed_ips: [], security_groups: [] })).security_groups], [[group.id], []], 'it is filtered before it has an address')
  assert.deepEqual((await me.port((await me.network()).id, { security_groups: [group.id] })).security_groups, [group.id])
  await me.refused('400 PortSecurityAndIPRequiredForSecurityGroups', 'createPort', { body: { port: { network_id: on, port_security_enabled: false, security_groups: [group.id] } } })
  await me.refused('409 IpAddressInUse', 'createPort', body([{ ip_address: '10.1.0.77' }]))
  await me.refused('400 InvalidIpForNetwork', 'createPort', body([{ ip_address: '10.2.0.1' }]))
  await me.refused('400 InvalidIpForSubnet', 'createPort', body([{ ip_address: '10.1.0.255' }]))
  await me.refused('400 InvalidIpForSubnet', 'createPort', body([{ subnet_id: subnet.id, ip_address: '10.9.0.1' }]))
  await me.refused('404 SubnetNotFound', 'createPort', body([{ subnet_id: newId() }]))
  await me.refused('400 InvalidInput', 'createPort', body([{ subnet_id: (await me.subnet({ cidr: '10.3.0.0/24' })).id }]))
  await me.refused('404 SubnetNotFound', 'createPort', body([{ subnet_id: (await me.subnet({ enable_dhcp: false }, 'other')).id }]))
  await me.refused('400 InvalidInput', 'createPort', { body: { port: { network_id: (await me.network()).id, fixed_ips: [{ subnet_id: subnet.id }] } } })
  await me.refused('400 InvalidInput', 'createPort', body([{ ip_address: '10.1.0.80' }, { ip_address: '10.1.0.80' }]))
  await me.refused('400 HTTPBadRequest', 'createPort', body([{ ip_address: 'nonsense' }]))
  await me.refused('400 HTTPBadRequest', 'createPort', body([{ ip: '10.1.0.1' }]))
})

test('a failed creation leaves neither address nor count', async () => {
  const subnet = await me.subnet({ cidr: '10.1.0.0/29', enable_dhcp: false })
  const used = async (): Promise<number> => (await me.ok('showQuotaDetails', { params: { project_id: testProjectId } })).quota.port.used
  const count = await used()
  await me.refused('404 SecurityGroupNotFound', 'createPort', { body: { port: { network_id: subnet.network_id, security_groups: [newId()] } } })
  assert.equal(await used(), count)
  for (let i = 0; i < 5; i++) await me.port(subnet.network_id)
  await me.refused('409 IpAddressGenerationFailure', 'createPort', { body: { port: { network_id: subnet.network_id } } })
  assert.equal(await used(), count + 5)
})

test('an address that was given back is found again when the pool has come to its end', async () => {
  const subnet = await me.subnet({ cidr: '10.1.0.0/29', enable_dhcp: false })
  const ports = await Promise.all(Array.from({ length: 5 }, () => me.port(subnet.network_id)))
  const gap = ports.find((p) => addresses(p)[0] === '10.1.0.3')
  await me.ok('deletePort', { params: { port_id: gap.id } })
  assert.deepEqual(addresses(await me.port(subnet.network_id)), ['10.1.0.3'])
})

test('fifty at once on a small subnet: as many as there are addresses, no address twice', async () => {
  const subnet = await me.subnet({ cidr: '10.1.0.0/28', enable_dhcp: false })
  const replies = await Promise.all(Array.from({ length: 50 }, () => api.call<any>('member', 'network', 'createPort', { body: { port: { network_id: subnet.network_id } } })))
  const made = replies.filter((r) => r.status === 201)
  assert.equal(made.length, 13)
  assert.equal(new Set(made.flatMap((r) => addresses(r.body.port))).size, 13)
  assert.deepEqual([...new Set(replies.filter((r) => r.status !== 201).map((r) => `${r.status} ${r.body.NeutronError.type}`))], ['409 IpAddressGenerationFailure'])
})

test('fifty at once against a quota of ten: exactly ten, several in one request all or none', async () => {
  const subnet = await me.subnet({ enable_dhcp: false }, 'other')
  await me.ok('updateQuotas', { params: { project_id: testOtherProjectId }, body: { quota: { port: 10 } } }, 'admin')
  const replies = await Promise.all(Array.from({ length: 50 }, () => api.call<any>('other', 'network', 'createPort', { body: { port: { network_id: subnet.network_id } } })))
  assert.equal(replies.filter((r) => r.status === 201).length, 10)
  assert.deepEqual([...new Set(replies.filter((r) => r.status !== 201).map((r) => `${r.status} ${r.body.NeutronError.type}`))], ['409 OverQuota'])
  await me.ok('deletePort', { params: { port_id: replies.find((r) => r.status === 201)!.body.port.id } }, 'other')
  await me.refused('409 OverQuota', 'createPort', { body: { ports: [{ network_id: subnet.network_id }, { network_id: subnet.network_id }] } }, 'other')
  await me.ok('createPort', { body: { ports: [{ network_id: subnet.network_id }] } }, 'other')
  await me.ok('deleteQuotas', { params: { project_id: testOtherProjectId } }, 'admin')
})

test('a network without subnets gives ports without addresses', async () => assert.deepEqual((await me.port((await me.network()).id)).fixed_ips, []))

test('IPv6: managed addresses are allocated, automatic ones computed, also for ports that stand already', async () => {
  const v4 = await me.subnet()
  const before = await me.port(v4.network_id)
  const slaac = await me.subnet({ network_id: v4.network_id, ip_version: 6, cidr: '2001:db8:1::/64', ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' })
  const managed = await me.subnet({ network_id: v4.network_id, ip_version: 6, cidr: '2001:db8:2::/64', ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' })
  const port = await me.port(v4.network_id, { mac_address: 'fa:16:3e:01:02:03' })
  assert.deepEqual(port.fixed_ips.map((ip: any) => ip.subnet_id), [v4.id, slaac.id, managed.id])
  assert.equal(port.fixed_ips[1].ip_address, '2001:db8:1:0:f816:3eff:fe01:203')
  assert.equal((await me.ok('showPort', { params: { port_id: before.id } })).port.fixed_ips.length, 2)
  await me.refused('400 InvalidInput', 'createPort', { body: { port: { network_id: v4.network_id, fixed_ips: [{ subnet_id: slaac.id, ip_address: '2001:db8:1::5' }] } } })
  await me.ok('deleteSubnet', { params: { subnet_id: slaac.id } })
  assert.equal((await me.ok('showPort', { params: { port_id: before.id } })).port.fixed_ips.length, 1)
})

test('MACs are unique on a network; a bound card keeps its own', async () => {
  const subnet = await me.subnet()
  await me.port(subnet.network_id, { mac_address: 'FA:16:3E:00:00:09' })
  await me.refused('409 MacAddressInUse', 'createPort', { body: { port: { network_id: subnet.network_id, mac_address: 'fa:16:3e:00:00:09' } } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: { network_id: subnet.network_id, mac_address: '01:00:5e:00:00:09' } } })
  const bound = await me.port(subnet.network_id, { 'binding:host_id': 'host-1' }, 'admin')
  assert.equal(bound['binding:vif_type'], 'tap')
  await me.refused('409 PortBound', 'updatePort', { params: { port_id: bound.id }, body: { port: { mac_address: 'fa:16:3e:00:00:0a' } } }, 'admin')
})

test('updating: addresses are replaced, kept ones stay; groups; port security', async () => {
  const subnet = await me.subnet()
  const port = await me.port(subnet.network_id), params = { port_id: port.id }, own = addresses(port)[0]!
  const update = async (values: object): Promise<any> => (await me.ok('updatePort', { params, body: { port: values } })).port
  assert.deepEqual(addresses(await update({ fixed_ips: [{ ip_address: own }, { ip_address: '10.1.0.50' }] })), [own, '10.1.0.50'])
  assert.deepEqual(addresses(await update({ fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.1.0.50' }] })), ['10.1.0.50'])
  assert.deepEqual(addresses(await update({ fixed_ips: [{ subnet_id: subnet.id }] })), ['10.1.0.50'])
  assert.equal((await update({ name: 'x' })).revision_number, 5)
  await me.refused('409 PortSecurityPortHasSecurityGroup', 'updatePort', { params, body: { port: { port_security_enabled: false } } })
  const open = await update({ port_security_enabled: false, security_groups: [] })
  assert.deepEqual([open.port_security_enabled, open.security_groups], [false, []])
  await me.refused('400 PortSecurityAndIPRequiredForSecurityGroups', 'updatePort', { params, body: { port: { security_groups: port.security_groups } } })
  await me.refused('409 AddressPairAndPortSecurityRequired', 'updatePort', { params, body: { port: { allowed_address_pairs: [{ ip_address: '10.1.0.200' }] } } })
  assert.deepEqual((await update({ port_security_enabled: true, security_groups: port.security_groups, allowed_address_pairs: [{ ip_address: '10.1.0.200' }] })).allowed_address_pairs, [{ ip_address: '10.1.0.200', mac_address: port.mac_address }])
  await me.refused('400 DuplicateAddressPairInRequest', 'updatePort', { params, body: { port: { allowed_address_pairs: [{ ip_address: '10.1.0.200' }, { ip_address: '10.1.0.200' }] } } })
  await me.refused('400 HTTPBadRequest', 'updatePort', { params, body: { port: { network_id: subnet.network_id } } })
  await me.refused('400 HTTPBadRequest', 'updatePort', { params, body: { port: { status: 'ACTIVE' } } })
  await me.refused('400 HTTPBadRequest', 'updatePort', { params, body: { port: { admin_state_up: 'perhaps' } } })
})

test('lists: filters, fields, sorting, tags', async () => {
  const subnet = await me.subnet(), on = subnet.network_id
  const made = await Promise.all([1, 2, 3].map((n) => me.port(on, { name: `list-${n}`, device_id: `d${n}`, fixed_ips: [{ ip_address: `10.1.0.1${n}` }] })))
  const names = async (query: object): Promise<string[]> => (await me.ok('listPorts', { query: { network_id: on, sort_key: 'name', sort_dir: 'asc', ...query } })).ports.map((p: any) => p.name).filter((n: string) => n !== '')
  assert.deepEqual(await names({ device_id: ['d1', 'd3'] }), ['list-1', 'list-3'])
  assert.deepEqual(await names({ fixed_ips: 'ip_address=10.1.0.12' }), ['list-2'])
  assert.deepEqual(await names({ fixed_ips: [`subnet_id=${subnet.id}`, 'ip_address_substr=0.1'] }), ['list-1', 'list-2', 'list-3'])
  assert.deepEqual(await names({ security_groups: made[0].security_groups }), ['list-1', 'list-2', 'list-3'])
  assert.deepEqual(await names({ status: 'ACTIVE' }), [])
  assert.deepEqual(await names({ status: 'DOWN', admin_state_up: 'True' }), ['list-1', 'list-2', 'list-3'])
  assert.deepEqual(await names({ sort_dir: 'desc' }), ['list-3', 'list-2', 'list-1'])
  await me.ok('replacePortTags', { params: { port_id: made[0].id }, body: { tags: ['a', 'b'] } })
  await me.ok('addPortTag', { params: { port_id: made[1].id, tag: 'a' } })
  assert.deepEqual(await names({ tags: 'a,b' }), ['list-1'])
  assert.deepEqual(await names({ 'tags-any': 'a,b' }), ['list-1', 'list-2'])
  assert.deepEqual(await names({ 'not-tags': 'a,b' }), ['list-2', 'list-3'])
  assert.deepEqual(await names({ 'not-tags-any': 'a' }), ['list-3'])
  assert.deepEqual((await me.ok('listPorts', { query: { id: made[0].id, fields: ['id', 'name'] } })).ports, [{ id: made[0].id, name: 'list-1' }])
  assert.deepEqual((await me.ok('listPorts', { query: { 'binding:host_id': '' } })).ports, [], 'what a tenant cannot see he cannot filter by')
  await me.refused('400 HTTPBadRequest', 'listPorts', { query: { nonsense: 'x' } })
  await me.refused('400 HTTPBadRequest', 'listPorts', { query: { sort_key: 'nonsense', sort_dir: 'asc' } })
  await me.refused('400 HTTPBadRequest', 'listPorts', { query: { sort_key: ['name', 'id'], sort_dir: 'asc' } })
  await me.refused('400 HTTPBadRequest', 'listPorts', { query: { limit: '-1' } })
})

test('pages go forward and backward, whatever the order', async () => {
  const on = (await me.network()).id
  for (const name of ['b', 'a', 'c', 'a', 'd']) await me.port(on, { name })
  let url: string | undefined = `/network/v2.0/ports?network_id=${on}&sort_key=name&sort_dir=desc&limit=2`
  const seen: string[] = []
  let previous: string | undefined
  while (url) {
    const { body } = await api.http<any>('GET', url, { token: 'member' })
    seen.push(...body.ports.map((p: any) => p.name))
    const link = (rel: string): string | undefined => body.ports_links.find((l: any) => l.rel === rel)?.href.replace(api.publicUrl, '')
    url = link('next'); previous = link('previous') ?? previous
  }
  assert.deepEqual(seen, ['d', 'c', 'b', 'a', 'a'])
  const back = (await api.http<any>('GET', previous!, { token: 'member' })).body
  assert.deepEqual(back.ports.map((p: any) => p.name), ['b', 'a'])
  await me.refused('404 PortNotFound', 'listPorts', { query: { limit: '1', marker: newId() } })
})

test('behind the last page there is a way back', async () => {
  const on = (await me.network()).id, of = { network_id: on, sort_key: 'name', limit: '2' }
  for (const name of ['a', 'b']) await me.port(on, { name })
  const page = async (href: string): Promise<any> => (await api.http<any>('GET', href.replace(api.publicUrl, ''), { token: 'member' })).body
  const to = (body: any, rel: string): string => body.ports_links.find((l: any) => l.rel === rel).href
  const behind = await page(to(await me.ok('listPorts', { query: of }), 'next'))
  assert.deepEqual([behind.ports, behind.ports_links.map((l: any) => l.rel)], [[], ['previous']])
  assert.deepEqual((await page(to(behind, 'previous'))).ports.map((p: any) => p.name), ['a', 'b'])
})

test('several are made at once, each as it is or under its own name', async () => {
  const network_id = (await me.network()).id
  const { ports } = await me.ok('createPort', { body: { ports: [{ network_id, name: 'bare' }, { port: { network_id, name: 'wrapped' } }] } })
  assert.deepEqual(ports.map((p: any) => p.name), ['bare', 'wrapped'])
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { ports: [{ port: { network_id }, name: 'both' }] } })
})

test('a marker one cannot see is no oracle of its name', async () => {
  const foreign = await me.network({ name: 'secret' }, 'other'), card = await me.port((await me.subnet({}, 'other')).network_id, { name: 'secret' }, 'other')
  await me.refused('404 NetworkNotFound', 'listNetworks', { query: { marker: foreign.id, sort_key: ['name'], limit: 5 } })
  await me.refused('404 PortNotFound', 'listPorts', { query: { marker: card.id, sort_key: ['name'], limit: 5 } })
  await me.ok('listNetworks', { query: { marker: foreign.id, limit: 5 } }, 'other')
  await me.ok('listNetworks', { query: { marker: foreign.id, limit: 5 } }, 'admin')
})

test('a question that says the same again and again costs no more than once', async () => {
  const on = await me.network({ name: 'asked for' }), many = 300
  const found = await me.ok('listNetworks', { query: { sort_key: Array(many).fill('name'), sort_dir: Array(many).fill('asc'), marker: on.id, page_reverse: 'True', name: Array(many).fill('nothing') } })
  assert.deepEqual(found.networks, [])
  for (const query of [{ tags: Array.from({ length: 600 }, (_x, i) => i).join(',') }, { 'not-tags-any': Array.from({ length: 2000 }, (_x, i) => i).join(',') }]) await me.refused('400 HTTPBadRequest', 'listNetworks', { query })
  await me.refused('400 HTTPBadRequest', 'listPorts', { query: { fixed_ips: Array.from({ length: 600 }, (_x, i) => `ip_address_substr=${i}`) } })
  await me.ok('listNetworks', { query: { tags: Array(2000).fill('a').join(',') } })
})

test('a list costs the same few statements however long it is', async () => {
  const subnet = await me.subnet()
  const cost = (): Promise<number> => queriesOf(api.store, () => me.ok('listPorts', { query: { network_id: subnet.network_id } }))
  await me.port(subnet.network_id)
  const few = await cost()
  await me.ok('createPort', { body: { ports: Array.from({ length: 30 }, () => ({ network_id: subnet.network_id })) } })
  assert.equal(await cost(), few)
  assert.ok(few <= 8, `${few} statements`)
})

test('bodies: one or many, never both or neither; of another project only for administrators', async () => {
  const on = (await me.network()).id
  await me.refused('400 HTTPBadRequest', 'createPort', { body: {} })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: { network_id: on }, ports: [{ network_id: on }] } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { ports: [] } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: {} } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: { network_id: on, nonsense: 1 } } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: { network_id: on, project_id: testOtherProjectId } } })
  await me.refused('404 NetworkNotFound', 'createPort', { body: { port: { network_id: newId() } } })
  assert.equal((await me.port(on, { project_id: testOtherProjectId }, 'admin')).project_id, testOtherProjectId)
})

test('ports of our own services are not deleted like others', async () => {
  const subnet = await me.subnet()
  const [dhcp] = (await me.ok('listPorts', { query: { network_id: subnet.network_id } })).ports
  assert.deepEqual([dhcp.device_owner, addresses(dhcp), dhcp.port_security_enabled], ['network:dhcp', ['10.1.0.2'], false])
  const router = await me.make('createRouter', 'router', {})
  const joined = await me.ok('addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
  await me.refused('409 ServicePortInUse', 'deletePort', { params: { port_id: joined.port_id } })
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#base/ids.ts'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)
const aGroup = (values: object = {}, as?: string): Promise<any> => me.make('createSecurityGroup', 'security_group', { name: 'g', ...values }, as)
const rule = (groupId: string, values: object): object => ({ body: { security_group_rule: { security_group_id: groupId, direction: 'ingress', ...values } } })

test('looking at the groups makes the default one, once: out to everywhere, in from its own members', async () => {
  const [lists] = await Promise.all([Promise.all(Array.from({ length: 5 }, () => me.ok('listSecurityGroups', {}, 'other')))])
  const groups = new Set(lists.flatMap((l: any) => l.security_groups.map((g: any) => g.id)))
  assert.equal(groups.size, 1)
  const [group] = lists[0].security_groups
  assert.equal(group.name, 'default')
  assert.deepEqual(group.security_group_rules.map((r: any) => [r.direction, r.ethertype, r.remote_group_id === group.id, r.protocol, r.remote_ip_prefix]).sort(), [
    ['egress', 'IPv4', false, null, null], ['egress', 'IPv6', false, null, null], ['ingress', 'IPv4', true, null, null], ['ingress', 'IPv6', true, null, null],
  ])
  const params = { security_group_id: group.id }
  await me.refused('409 SecurityGroupCannotRemoveDefault', 'deleteSecurityGroup', { params }, 'other')
  await me.refused('409 SecurityGroupCannotUpdateDefault', 'updateSecurityGroup', { params, body: { security_group: { name: 'x' } } }, 'other')
  await me.ok('updateSecurityGroup', { params, body: { security_group: { description: 'mine' } } }, 'other')
  await me.refused('409 SecurityGroupDefaultAlreadyExists', 'createSecurityGroup', { body: { security_group: { name: 'default' } } }, 'other')
})

test('a new group lets everything out and nothing in', async () => {
  const group = await aGroup({ name: 'web' })
  assert.deepEqual([group.name, group.project_id, group.security_group_rules.length, group.tags], ['web', testProjectId, 2, []])
  assert.ok(group.security_group_rules.every((r: any) => r.direction === 'egress'))
})

test('a rule has the shape that neutron gives it', async () => {
  const group = await aGroup()
  const { security_group_rule: made } = await me.ok('createSecurityGroupRule', rule(group.id, { protocol: 'TCP', port_range_min: '22', port_range_max: 22, remote_ip_prefix: '10.0.0.7/24', description: 'ssh' }))
  const { id: _i, created_at: _c, updated_at: _u, ...rest } = made
  assert.deepEqual(rest, {
    tenant_id: testProjectId, project_id: testProjectId, description: 'ssh', revision_number: 0, security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22, port_range_max: 22,
    remote_ip_prefix: '10.0.0.7/24', remote_group_id: null, normalized_cidr: '10.0.0.0/24',
  })
  await me.refused('409 SecurityGroupRuleExists', 'createSecurityGroupRule', rule(group.id, { protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.0.0.7/24' }))
  assert.equal((await me.ok('showSecurityGroup', { params: { security_group_id: group.id } })).security_group.revision_number, 2)
  const six = (prefix: string) => rule(group.id, { ethertype: 'IPv6', remote_ip_prefix: prefix })
  assert.equal((await me.ok('createSecurityGroupRule', six('2001:558:FC00:0::7/39'))).security_group_rule.remote_ip_prefix, '2001:558:fc00::7/39', 'spelt as addresses are, host bits and all')
  await me.refused('409 SecurityGroupRuleExists', 'createSecurityGroupRule', six('2001:558:fc00::7/39'))
  assert.deepEqual((await me.ok('listSecurityGroupRules', { query: { security_group_id: group.id, direction: 'ingress', protocol: 'tcp' } })).security_group_rules.length, 1)
})

test('what a rule may not say', async () => {
  const group = await aGroup()
  const no = (name: string, values: object): Promise<void> => me.refused(name, 'createSecurityGroupRule', rule(group.id, values))
  await no('400 SecurityGroupInvalidPortRange', { protocol: 'tcp', port_range_min: 80, port_range_max: 22 })
  await no('400 SecurityGroupInvalidPortRange', { protocol: 'udp', port_range_min: 80 })
  await no('400 SecurityGroupInvalidPortRange', { protocol: 'tcp', port_range_min: 0, port_range_max: 22 })
  await no('400 SecurityGroupProtocolRequiredWithPorts', { port_range_min: 22, port_range_max: 22 })
  await no('400 SecurityGroupInvalidProtocolForPort', { protocol: 'ah', port_range_min: 22, port_range_max: 22 })
  await no('400 SecurityGroupInvalidIcmpValue', { protocol: 'icmp', port_range_min: 256 })
  await no('400 SecurityGroupMissingIcmpType', { protocol: 'icmp', port_range_max: 0 })
  await no('400 SecurityGroupRuleInvalidProtocol', { protocol: 'nonsense' })
  for (const protocol of ['ipv6-frag', '44', '58', 60]) await no('400 SecurityGroupEthertypeConflictWithProtocol', { protocol })
  await no('400 SecurityGroupRuleInvalidProtocol', { protocol: '256' })
  await no('400 SecurityGroupRuleInvalidEtherType', { ethertype: 'IPv5' })
  await no('400 SecurityGroupEthertypeConflictWithProtocol', { protocol: 'ipv6-icmp' })
  await no('400 SecurityGroupRuleParameterConflict', { remote_ip_prefix: '2001:db8::/64' })
  await no('400 InvalidCIDR', { remote_ip_prefix: 'nonsense' })
  await no('400 SecurityGroupRemoteGroupAndRemoteIpPrefix', { remote_ip_prefix: '10.0.0.0/8', remote_group_id: group.id })
  await no('404 SecurityGroupNotFound', { remote_group_id: newId() })
  await no('404 SecurityGroupNotFound', { remote_group_id: (await aGroup({}, 'other')).id })
  await no('400 HTTPBadRequest', { direction: 'sideways' })
  await no('400 SecurityGroupInvalidPortValue', { protocol: 'tcp', port_range_min: 1, port_range_max: 65536 })
  await no('400 SecurityGroupInvalidPortValue', { protocol: 'icmp', port_range_min: -1, port_range_max: -1 })
  await no('404 SecurityGroupNotFound', { remote_group_id: 'nonsense' })
  await me.refused('404 SecurityGroupNotFound', 'createSecurityGroupRule', rule(newId(), {}))
  for (const values of [{ protocol: 'any' }, { protocol: 'icmp', port_range_min: 8, port_range_max: 0 }, { protocol: 'icmp' }, { protocol: 47 }, { ethertype: 'ipv6', protocol: 'icmp' }]) await me.ok('createSecurityGroupRule', rule(group.id, values))
})

test('a group in use stays; one that goes takes the rules that name it along', async () => {
  const group = await aGroup(), named = await aGroup(), subnet = await me.subnet()
  const port = await me.port(subnet.network_id, { security_groups: [named.id] })
  const { security_group_rule: made } = await me.ok('createSecurityGroupRule', rule(group.id, { remote_group_id: named.id }))
  await me.refused('409 SecurityGroupInUse', 'deleteSecurityGroup', { params: { security_group_id: named.id } })
  await me.ok('updatePort', { params: { port_id: port.id }, body: { port: { security_groups: [group.id] } } })
  await me.ok('deleteSecurityGroup', { params: { security_group_id: named.id } })
  await me.refused('404 SecurityGroupRuleNotFound', 'showSecurityGroupRule', { params: { security_group_rule_id: made.id } })
  await me.refused('404 SecurityGroupNotFound', 'updatePort', { params: { port_id: port.id }, body: { port: { security_groups: [(await aGroup({}, 'other')).id] } } })
})

test('a port without an address is in groups, in each of them once', async () => {
  const group = await aGroup(), bare = (await me.network()).id
  assert.deepEqual((await me.port(bare, { security_groups: [group.id] })).security_groups, [group.id])
  await me.refused('409 SecurityGroupInUse', 'deleteSecurityGroup', { params: { security_group_id: group.id } })
  await me.refused('404 SecurityGroupNotFound', 'createPort', { body: { port: { network_id: bare, security_groups: [newId()] } } })
  await me.refused('400 HTTPBadRequest', 'createPort', { body: { port: { network_id: bare, security_groups: [group.id, group.id] } } })
})

test('the rules of a new group count: without room for them there is none', async () => {
  const other = { params: { project_id: testOtherProjectId } }, set = (limit: number): Promise<unknown> => me.ok('updateQuotas', { ...other, body: { quota: { security_group_rule: limit } } }, 'admin')
  const used = async (): Promise<number> => (await me.ok('showQuotaDetails', other, 'other')).quota.security_group_rule.used
  await me.ok('listSecurityGroups', {}, 'other')
  const before = await used()
  await set(before + 1)
  await me.refused('409 OverQuota', 'createSecurityGroup', { body: { security_group: { name: 'g' } } }, 'other')
  assert.equal(await used(), before)
  await set(before + 2)
  await aGroup({}, 'other')
  await me.ok('deleteQuotas', other, 'admin')
})

test('only hosts with ports that are concerned are woken', async () => {
  const group = await aGroup(), peer = await aGroup(), subnet = await me.subnet()
  const bind = (host: string, groupId: string): Promise<any> => me.port(subnet.network_id, { 'binding:host_id': host, 'security_groups': [groupId], 'project_id': testProjectId }, 'admin')
  const a = await bind('host-a', group.id), b = await bind('host-b', peer.id)
  await me.ok('createSecurityGroupRule', rule(group.id, { remote_group_id: peer.id }))
  api.woken.length = 0
  await me.ok('createSecurityGroupRule', rule(group.id, { protocol: 'tcp', port_range_min: 80, port_range_max: 80 }))
  assert.deepEqual(api.woken, [{ host: 'host-a', touched: { ports: [a.id] } }])
  api.woken.length = 0
  await me.ok('updatePort', { params: { port_id: b.id }, body: { port: { fixed_ips: [{ ip_address: '10.1.0.99' }] } } })
  assert.deepEqual((api.woken as TestNetwork['woken']).map((w) => [w.host, w.touched.ports ?? [], w.touched.groups ?? []]), [['host-b', [b.id], []], ['net-1', [], []], ['host-a', [], [peer.id]]])
  api.woken.length = 0
  await me.ok('updatePort', { params: { port_id: b.id }, body: { port: { name: 'renamed' } } })
  await me.ok('createSecurityGroupRule', rule((await aGroup()).id, { protocol: 'tcp', port_range_min: 80, port_range_max: 80 }))
  assert.deepEqual(api.woken, [])
})

test('who leaves a group is taken out of it on every host whose rules name it, also when it moves at the same time', async () => {
  const group = await aGroup(), peer = await aGroup(), subnet = await me.subnet()
  const bind = (host: string, groupId: string): Promise<any> => me.port(subnet.network_id, { 'binding:host_id': host, 'security_groups': [groupId], 'project_id': testProjectId }, 'admin')
  await bind('host-a', group.id)
  await me.ok('createSecurityGroupRule', rule(group.id, { remote_group_id: peer.id }))
  const told = (): unknown[] => (api.woken as TestNetwork['woken']).filter((w) => w.host === 'host-a').map((w) => w.touched.groups ?? [])
  for (const further of [{}, { 'binding:host_id': 'host-c' }, { 'binding:host_id': '' }]) {
    const b = await bind('host-b', peer.id)
    api.woken.length = 0
    await me.ok('updatePort', { params: { port_id: b.id }, body: { port: { security_groups: [], ...further } } }, 'admin')
    assert.deepEqual(told(), [[peer.id]], JSON.stringify(further))
  }
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)
const at = (revision: unknown) => ({ headers: { 'if-match': `revision_number=${String(revision)}` } })

test('who says at which revision something is changes or removes it at that one only', async () => {
  const { networkId } = await me.external(), network = await me.network(), subnet = await me.subnet({ network_id: network.id })
  const things: [title: string, one: string, made: any][] = [
    ['FloatingIp', 'floatingip', await me.make('createFloatingIp', 'floatingip', { floating_network_id: networkId })], ['Port', 'port', await me.port(network.id)], ['Subnet', 'subnet', subnet],
    ['Network', 'network', network], ['Router', 'router', await me.make('createRouter', 'router', { name: 'r' })], ['SecurityGroup', 'security_group', await me.make('createSecurityGroup', 'security_group', { name: 'g' })],
  ]
  for (const [title, one, made] of things) {
    const params = { [`${one}_id`]: made.id }, body = { [one]: { description: 'new' } }
    const { revision_number: now } = (await me.ok(`show${title}`, { params }))[one]
    await me.refused('412 RevisionNumberConstraintFailed', `update${title}`, { params, body, ...at(now + 1) })
    const changed = (await me.ok(`update${title}`, { params, body, ...at(now) }))[one]
    assert.deepEqual([changed.revision_number, changed.description], [now + 1, 'new'])
    for (const operation of ['update', 'delete']) await me.refused('412 RevisionNumberConstraintFailed', `${operation}${title}`, { params, ...(operation === 'update' && { body: { [one]: {} } }), ...at(now) })
    await me.ok(`delete${title}`, { params, ...at(now + 1) })
    await me.refused(`404 ${{ FloatingIp: 'FloatingIPNotFound' }[title] ?? `${title}NotFound`}`, `show${title}`, { params })
  }
})

test('rules have revisions too, and a router that is joined or given routes is changed', async () => {
  const group = await me.make('createSecurityGroup', 'security_group', { name: 'g' })
  const rule = await me.make('createSecurityGroupRule', 'security_group_rule', { security_group_id: group.id, direction: 'ingress' }), ofRule = { params: { security_group_rule_id: rule.id } }
  await me.refused('412 RevisionNumberConstraintFailed', 'deleteSecurityGroupRule', { ...ofRule, ...at(rule.revision_number + 1) })
  await me.ok('deleteSecurityGroupRule', { ...ofRule, ...at(rule.revision_number) })

  const router = await me.make('createRouter', 'router', { name: 'r' }), subnet = await me.subnet(), params = { router_id: router.id }
  const route = { router: { routes: [{ destination: '10.9.0.0/24', nexthop: '10.1.0.9' }] } }
  let now = router.revision_number
  for (const [operation, body] of [['addRouterInterface', { subnet_id: subnet.id }], ['addExtraRoutes', route], ['removeExtraRoutes', route], ['removeRouterInterface', { subnet_id: subnet.id }]] as const) {
    await me.refused('412 RevisionNumberConstraintFailed', operation, { params, body, ...at(now - 1) })
    await me.ok(operation, { params, body, ...at(now) })
    assert.equal((await me.ok('showRouter', { params })).router.revision_number, ++now, operation)
  }
})

test('of two who saw the same one changes it', async () => {
  const network = await me.network(), params = { network_id: network.id }
  const change = (name: string) => api.call('member', 'network', 'updateNetwork', { params, body: { network: { name } }, ...at(network.revision_number) })
  assert.deepEqual((await Promise.all(['a', 'b', 'c'].map(change))).map((r) => r.status).sort(), [200, 412, 412])
})

test('how it may be said', async () => {
  const network = await me.network(), params = { network_id: network.id }, body = { network: { name: 'x' } }
  const ask = (match: string) => ({ params, body, headers: { 'if-match': match } })
  for (const wrong of ['revision_number=', 'revision_number=x', 'revision_number=-1', '"revision_number=1", "revision_number=2"']) await me.refused('400 BadRequest', 'updateNetwork', ask(wrong))
  for (const other of ['*', '', '"something else"', 'W/"revision_number=99"']) await me.ok('updateNetwork', ask(other))
  const { revision_number: now } = (await me.ok('showNetwork', { params })).network
  await me.ok('updateNetwork', ask(`"other", "revision_number=${now}"`))
  await me.refused('412 RevisionNumberConstraintFailed', 'updateNetwork', ask(`"revision_number=${now}"`))
  assert.ok((await me.ok('listExtensions')).extensions.some((e: any) => e.alias === 'revision-if-match'))
})

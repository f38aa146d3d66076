// What must hold of servers on every database engine.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newId } from '#base/ids.ts'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { used } from '../quotas/store.ts'
import type { ComputeTest } from './start.ts'

export function serversSuite(start: () => Promise<ComputeTest>): void {
  let api: ComputeTest
  const flavorId = 'm1.test'
  before(async () => {
    api = await start()
    await ok('admin', 'createFlavor', { body: { flavor: { id: flavorId, name: 'm1.test', ram: 128, vcpus: 2, disk: 1 } } })
  })
  after(() => api.close())
  beforeEach(async () => {
    Object.assign(api.world, { networks: [], ports: [], plans: [], hold: false })
    await ok('admin', 'updateQuota', { params: { tenant_id: testProjectId }, body: { quota_set: { instances: -1, cores: -1, ram: -1, force: true } } })
  })

  type Call = Parameters<ComputeTest['call']>[3]
  const call = (as: string, operation: string, request: Call = {}) => api.call<any>(as, 'compute', operation, request)
  async function ok(as: string, operation: string, request: Call = {}): Promise<any> {
    const answer = await call(as, operation, request)
    assert.ok(answer.status < 300, `${operation}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const refused = async (status: number, message: RegExp, operation: string, request: Call, as = 'member'): Promise<void> => {
    const answer = await call(as, operation, request), [key, fault] = Object.entries<any>(answer.body)[0]!
    assert.equal(answer.status, status, JSON.stringify(answer.body))
    assert.equal(fault.code, status)
    assert.match(fault.message, message)
    assert.equal(key, { 400: 'badRequest', 403: 'forbidden', 404: 'itemNotFound', 409: 'conflictingRequest' }[status])
  }
  const serverBody = (more: object = {}): object => ({ name: 'web', imageRef: api.world.images[0]!.id, flavorRef: flavorId, networks: 'none', ...more })
  const create = async (more: object = {}, version?: string, as = 'member'): Promise<any> => (await ok(as, 'createServer', { body: { server: serverBody(more) }, version })).server
  const show = async (id: string, version?: string, as = 'member'): Promise<any> => (await ok(as, 'showServer', { params: { server_id: id }, version })).server
  const addNetwork = (name: string, more: object = {}) => {
    const network = { id: newId(), name, subnets: [newId()], shared: false, 'router:external': false, project_id: testProjectId, admin_state_up: true, ...more }
    api.world.networks.push(network)
    return network
  }
  const addPort = (deviceId: string, more: object = {}) => {
    const port = {
      id: newId(), device_id: deviceId, network_id: newId(), network_name: 'private', mac_address: 'fa:16:3e:00:00:01', status: 'ACTIVE', project_id: testProjectId,
      fixed_ips: [{ ip_address: '10.0.0.5', subnet_id: newId() }], floating_ips: [], security_groups: [api.world.securityGroups[0]!], ...more,
    }
    api.world.ports.push(port)
    return port
  }

  test('a created server answers 202 with its id, links, location and password, and is planned for the saga', async () => {
    const answer = await call('member', 'createServer', { body: { server: serverBody({ user_data: Buffer.from('#!/bin/sh').toString('base64'), metadata: JSON.parse('{"__proto__":"kept","a":"b"}'), tags: ['red', 'blue'] }) } })
    assert.equal(answer.status, 202)
    const { server } = answer.body
    assert.equal(answer.headers.location, `${api.publicUrl}/compute/v2.1/servers/${server.id}`)
    assert.deepEqual(server.links.map((l: any) => [l.rel, l.href]), [['self', `${api.publicUrl}/compute/v2.1/servers/${server.id}`], ['bookmark', `${api.publicUrl}/compute/servers/${server.id}`]])
    assert.ok(server.adminPass.length >= 8)
    assert.deepEqual(server.security_groups, [{ name: 'default' }])
    const [plan] = api.world.plans
    assert.equal(plan!.serverId, server.id)
    assert.equal(plan!.secrets.adminPassword, server.adminPass)
    assert.equal(plan!.flavor.memoryMib, 128)
    const shown = await show(server.id)
    assert.equal(shown.status, 'ACTIVE')
    assert.ok(Object.hasOwn(shown.metadata, '__proto__'))
    assert.deepEqual(shown.tags, ['blue', 'red'])
    assert.equal(shown.flavor.original_name, 'm1.test')
    assert.equal(shown['OS-EXT-SRV-ATTR:hostname'], 'web')
    assert.equal(shown['OS-EXT-SRV-ATTR:host'], undefined)
    assert.equal((await show(server.id, undefined, 'admin'))['OS-EXT-SRV-ATTR:host'], 'host-1')
  })

  test('what a version does not know is neither shown nor accepted', async () => {
    const { id } = await create({ networks: undefined }, '2.1')
    const old = await show(id, '2.1')
    for (const later of ['description', 'locked', 'tags', 'trusted_image_certificates', 'server_groups', 'pinned_availability_zone', 'locked_reason']) assert.ok(!Object.hasOwn(old, later), later)
    assert.deepEqual(Object.keys(old.flavor), ['id', 'links'])
    await refused(400, /Additional properties/, 'createServer', { body: { server: serverBody({ networks: [], description: 'x' }) }, version: '2.18' })
    await refused(400, /networks/, 'createServer', { body: { server: { ...serverBody(), networks: undefined } }, version: '2.37' })
    await refused(400, /Additional properties/, 'createServer', { body: { server: serverBody({ personality: [] }) }, version: '2.57' })
    await refused(400, /Additional properties/, 'listServers', { query: { nonsense: 'x' }, version: '2.75' })
    assert.equal((await call('member', 'listServers', { query: { nonsense: 'x' }, version: '2.74' })).status, 200)
    assert.equal((await call('member', 'listServers', { version: '2.97' })).status, 406)
    assert.equal((await call('member', 'listServerTags', { params: { server_id: id }, version: '2.25' })).status, 404)
    assert.equal((await show(id, '2.1')).name, 'web')
    const put = await call('member', 'updateServer', { params: { server_id: id }, body: { server: { name: 'new' } }, version: '2.74' })
    assert.equal(put.body.server['OS-EXT-STS:vm_state'], undefined)
  })

  test('several servers of one request are numbered and each gets ports of its own', async () => {
    const network = addNetwork('private')
    const { reservation_id } = await ok('member', 'createServer', { body: { server: serverBody({ networks: [{ uuid: network.id }], min_count: 3, return_reservation_id: true }) } })
    assert.match(reservation_id, /^r-/)
    assert.equal(new Set(api.world.plans.map((p) => p.nics[0]!.portId)).size, 3)
    const { servers } = await ok('member', 'listServers', { query: { name: '^web-[1-3]$' } })
    assert.deepEqual(servers.map((s: any) => s.name).sort(), ['web-1', 'web-2', 'web-3'])
  })

  test('networks: none, the only one, ambiguous, foreign, external, without subnet, auto', async () => {
    const first = addNetwork('a')
    await create({ networks: 'auto' })
    assert.equal(api.world.plans.at(-1)!.nics[0]!.networkId, first.id)
    const second = addNetwork('b')
    await refused(409, /Multiple possible networks/, 'createServer', { body: { server: serverBody({ networks: 'auto' }) } })
    await create({ networks: [{ uuid: second.id, fixed_ip: '10.0.0.9', tag: 'eth' }, { uuid: first.id }] })
    assert.deepEqual(api.world.plans.at(-1)!.nics.map((n) => [n.networkId, n.fixedIp, n.tag]), [[second.id, '10.0.0.9', 'eth'], [first.id, undefined, undefined]])
    await refused(400, /could not be found/, 'createServer', { body: { server: serverBody({ networks: [{ uuid: newId() }] }) } })
    await refused(400, /requires a subnet/, 'createServer', { body: { server: serverBody({ networks: [{ uuid: addNetwork('c', { subnets: [] }).id }] }) } })
    await refused(403, /external network/, 'createServer', { body: { server: serverBody({ networks: [{ uuid: addNetwork('d', { 'router:external': true, project_id: testOtherProjectId }).id }] }) } })
    await refused(403, /fixed IP/i, 'createServer', { body: { server: serverBody({ networks: [{ uuid: addNetwork('e', { shared: true, project_id: testOtherProjectId }).id, fixed_ip: '10.0.0.1' }] }) } })
    api.world.networks = []
    await refused(400, /automatically allocate/, 'createServer', { body: { server: serverBody({ networks: 'auto' }) } })
  })

  test('ports the user brings are his, free, and used once', async () => {
    const port = addPort('')
    await create({ networks: [{ port: port.id }] })
    assert.deepEqual(api.world.plans.at(-1)!.nics, [{ portId: port.id, networkId: port.network_id, userOwned: true }])
    await refused(400, /specified twice/, 'createServer', { body: { server: serverBody({ networks: [{ port: port.id }, { port: port.id }] }) } })
    await refused(409, /still in use/, 'createServer', { body: { server: serverBody({ networks: [{ port: addPort(newId()).id }] }) } })
    await refused(400, /could not be found/, 'createServer', { body: { server: serverBody({ networks: [{ port: newId() }] }) } })
    await refused(400, /requires a FixedIP/, 'createServer', { body: { server: serverBody({ networks: [{ port: addPort('', { fixed_ips: [] }).id }] }) } })
    const outside = addNetwork('outside', { 'router:external': true, project_id: testOtherProjectId })
    await refused(403, /external network/, 'createServer', { body: { server: serverBody({ networks: [{ port: addPort('', { network_id: outside.id }).id }] }) } })
    api.world.networks = api.world.networks.filter((n) => n.id !== outside.id)
    await refused(400, /single configured port/, 'createServer', { body: { server: serverBody({ networks: [{ port: addPort('').id }], max_count: 2 }) } })
  })

  test('images, flavors, keys, zones, groups and user data are checked', async () => {
    const body = (more: object): Call => ({ body: { server: serverBody(more) } })
    await refused(400, /Can not find requested image/, 'createServer', body({ imageRef: newId() }))
    const image = (more: object): string => { const id = newId(); api.world.images.push({ id, name: 'x', status: 'active', container_format: 'bare', min_ram: 0, min_disk: 0, size: 1, ...more }); return id }
    for (const container_format of ['ova', 'ovf', 'docker', 'compressed', undefined]) await refused(400, /no server boots from/, 'createServer', body({ imageRef: image({ container_format }) }))
    await refused(400, /is not active/, 'createServer', body({ imageRef: image({ status: 'queued' }) }))
    await refused(400, /memory is too small/, 'createServer', body({ imageRef: image({ min_ram: 4096 }) }))
    await refused(400, /smaller than the minimum size/, 'createServer', body({ imageRef: image({ min_disk: 5 }) }))
    await refused(400, /disk is too small/, 'createServer', body({ imageRef: image({ size: 2 ** 40 }) }))
    await refused(400, /Flavor .* could not be found/, 'createServer', body({ flavorRef: 'nothing' }))
    await refused(400, /Invalid key_name/, 'createServer', body({ key_name: 'nothing' }))
    await refused(400, /availability zone is not available/, 'createServer', body({ availability_zone: 'mars' }))
    await refused(403, /forced_host/, 'createServer', body({ availability_zone: 'nova:host-1' }))
    await refused(403, /requested_destination/, 'createServer', body({ host: 'host-1' }))
    await refused(400, /Security group nothing not found/, 'createServer', body({ security_groups: [{ name: 'nothing' }] }))
    await refused(400, /base64/, 'createServer', body({ user_data: 'not base64!' }))
    await refused(400, /user_data/, 'createServer', body({ user_data: 'A'.repeat(65_540) }))
    await refused(400, /Block Device Mapping is Invalid/, 'createServer', body({ imageRef: '', block_device_mapping_v2: [{ source_type: 'volume', uuid: newId(), boot_index: 0, destination_type: 'volume' }] }))
    await refused(400, /Instance group/, 'createServer', { body: { server: serverBody(), 'os:scheduler_hints': { group: newId() } } })
    await refused(400, /min_count must be/, 'createServer', body({ min_count: 3, max_count: 2 }))
    await refused(403, /metadata items/, 'createServer', body({ metadata: Object.fromEntries(Array.from({ length: 129 }, (_x, i) => [`k${i}`, 'v'])) }))
    await create({ block_device_mapping_v2: [{ source_type: 'image', uuid: api.world.images[0]!.id, boot_index: 0, destination_type: 'local', delete_on_termination: true }] })
  })

  test('of 50 creates at once a quota of 10 lets exactly 10 through, and deleting gives room back', async () => {
    const before = (await ok('admin', 'showQuotaDetail', { params: { tenant_id: testOtherProjectId } })).quota_set.instances.in_use
    assert.equal(before, 0)
    const answers = await Promise.all(Array.from({ length: 50 }, () => call('other', 'createServer', { body: { server: serverBody({ flavorRef: flavorId }) } })))
    assert.deepEqual([...Map.groupBy(answers, (a) => a.status)].map(([s, all]) => [s, all.length]).sort(), [[202, 10], [403, 40]])
    assert.match(answers.find((a) => a.status === 403)!.body.forbidden.message, /^Quota exceeded for instances(, cores)?: Requested 1(, 2)?, but already used 10(, 20)? of 10(, 20)? instances(, cores)?$/)
    const { instances, cores, ram } = (await ok('other', 'showQuotaDetail', { params: { tenant_id: testOtherProjectId } })).quota_set
    assert.deepEqual([instances.in_use, cores.in_use, ram.in_use], [10, 20, 1280])
    const first = answers.find((a) => a.status === 202)!.body.server.id
    assert.equal((await call('other', 'deleteServer', { params: { server_id: first } })).status, 204)
    assert.equal((await call('other', 'createServer', { body: { server: serverBody() } })).status, 202)
    // max_count is cut down to what fits, min_count is not.
    await ok('other', 'deleteServer', { params: { server_id: answers.filter((a) => a.status === 202)[1]!.body.server.id } })
    assert.equal((await call('other', 'createServer', { body: { server: serverBody({ min_count: 2, max_count: 5 }) } })).status, 403)
    assert.equal((await call('other', 'createServer', { body: { server: serverBody({ min_count: 1, max_count: 5 }) } })).status, 202)
    assert.equal((await api.store.read((tx) => used(tx, testOtherProjectId))).instances, 10)
  })

  test('state decides what may be done, in nova\'s words; locks keep users out', async () => {
    const { id } = await create(), params = { server_id: id }
    await refused(409, new RegExp(`Cannot 'start' instance ${id} while it is in vm_state active`), 'startServer', { params, body: null })
    for (const [operation, status] of [['stopServer', 'SHUTOFF'], ['startServer', 'ACTIVE'], ['pauseServer', 'PAUSED'], ['unpauseServer', 'ACTIVE'], ['suspendServer', 'SUSPENDED'], ['resumeServer', 'ACTIVE']] as const) {
      assert.equal((await call('member', operation, { params, body: null })).status, 202, operation)
      assert.equal((await show(id)).status, status)
    }
    assert.equal((await call('member', 'rebootServer', { params, body: { type: 'HARD' } })).status, 202)
    await refused(400, /type/, 'rebootServer', { params, body: { type: 'GENTLE' } })
    await ok('member', 'lockServer', { params, body: { locked_reason: 'mine' } })
    assert.deepEqual([(await show(id)).locked, (await show(id)).locked_reason], [true, 'mine'])
    await refused(409, /is locked/, 'stopServer', { params, body: null })
    await refused(409, /is locked/, 'deleteServer', { params })
    assert.equal((await call('admin', 'stopServer', { params, body: null })).status, 202)
    await ok('member', 'unlockServer', { params, body: null })
    const { instanceActions } = await ok('member', 'listInstanceActions', { params })
    assert.ok(['create', 'stop', 'start', 'pause', 'reboot', 'lock'].every((name) => instanceActions.some((a: any) => a.action === name)))
  })

  test('a guest that stopped by itself is SHUTOFF; one that is being built has no address', async () => {
    const { id } = await create()
    await api.store.tx(async (tx) => { await (tx as any).db.insertInto('computeInstances').values({ serverId: id, host: 'host-1', power: 'shutdown', observedAt: new Date().toISOString() }).execute() })
    const shown = await show(id)
    assert.deepEqual([shown.status, shown['OS-EXT-STS:vm_state'], shown['OS-EXT-STS:power_state']], ['SHUTOFF', 'stopped', 4])
    assert.ok((await ok('member', 'listServers', { query: { status: 'SHUTOFF' } })).servers.some((s: any) => s.id === id))
    assert.ok(!(await ok('member', 'listServers', { query: { status: 'ACTIVE' } })).servers.some((s: any) => s.id === id))
    api.world.hold = true
    const building = await create()
    addPort(building.id)
    const view = await show(building.id)
    assert.deepEqual([view.status, view.addresses, view['OS-EXT-STS:task_state'], view.progress], ['BUILD', {}, 'scheduling', 0])
    assert.equal((await call('member', 'deleteServer', { params: { server_id: building.id } })).status, 204)
    assert.equal((await call('member', 'showServer', { params: { server_id: building.id } })).status, 404)
  })

  test('addresses, cards and security groups come from the network service', async () => {
    const { id } = await create(), params = { server_id: id }
    const port = addPort(id, { floating_ips: [{ id: newId(), floating_ip_address: '203.0.113.7', fixed_ip_address: '10.0.0.5' }] })
    assert.deepEqual((await show(id)).addresses, { private: [
      { version: 4, addr: '10.0.0.5', 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': port.mac_address }, { version: 4, addr: '203.0.113.7', 'OS-EXT-IPS:type': 'floating', 'OS-EXT-IPS-MAC:mac_addr': port.mac_address },
    ] })
    assert.deepEqual((await show(id)).security_groups, [{ name: 'default' }])
    assert.deepEqual((await ok('member', 'showServerAddresses', { params: { ...params, network_label: 'private' } })).private[0], { version: 4, addr: '10.0.0.5' })
    assert.equal((await ok('member', 'listServerInterfaces', { params })).interfaceAttachments[0].net_id, port.network_id)
    assert.equal((await ok('member', 'listServerSecurityGroups', { params })).security_groups[0].name, 'default')
    assert.deepEqual((await ok('member', 'listServers', { query: { ip: '^10\\.0\\.0\\.5$' } })).servers.map((s: any) => s.id), [id])
    assert.deepEqual((await ok('member', 'listServers', { query: { ip: '^10.0.0.6$' } })).servers, [])
    const group = { id: newId(), name: 'web', description: '', project_id: testProjectId, security_group_rules: [] as never[] }
    api.world.securityGroups.push(group)
    await ok('member', 'addServerSecurityGroup', { params, body: { name: 'web' } })
    assert.deepEqual((await show(id)).security_groups, [{ name: 'default' }, { name: 'web' }])
    await ok('member', 'removeServerSecurityGroup', { params, body: { name: 'default' } })
    await refused(404, /not associated/, 'removeServerSecurityGroup', { params, body: { name: 'default' } })
  })

  test('lists page by marker in any order, and link to the next page', async () => {
    const ids: string[] = []
    for (const name of ['p-c', 'p-a', 'p-b', 'p-a']) ids.push((await create({ name, tags: name === 'p-a' ? ['t1', 't2'] : ['t1'] })).id)
    const seen: string[] = []
    let path: string | undefined = `/compute/v2.1/servers?limit=2&name=p-&sort_key=display_name&sort_dir=asc`
    for (let pages = 0; path !== undefined && pages < 5; pages++) {
      const { body }: { body: any } = await api.http<any>('GET', path, { token: 'member' })
      seen.push(...body.servers.map((s: any) => s.name))
      path = body.servers_links?.[0].href.slice(api.publicUrl.length)
    }
    assert.deepEqual(seen, ['p-a', 'p-a', 'p-b', 'p-c'])
    const newest = (await ok('member', 'listServers', { query: { name: '^p-' } })).servers.map((s: any) => s.id)
    assert.equal(newest.length, 4)
    assert.equal(newest[0] === ids[3] || newest.includes(ids[3]), true)
    await refused(400, /marker .* not found/, 'listServers', { query: { marker: newId() } })
    // What is sorted by already decides nothing any more.
    const again = (await api.call('member', 'compute', 'listServers', { query: { sort_key: Array(300).fill('display_name'), status: Array(1000).fill('ACTIVE'), marker: (await api.call('member', 'compute', 'listServers', { query: { limit: 1 } })).body.servers[0].id } }))
    assert.equal(again.status, 200, JSON.stringify(again.body))
    await refused(400, /not one of|not valid under/, 'listServers', { query: { sort_key: 'nonsense' } })
    await refused(400, /regex/, 'listServers', { query: { name: '(' } })
    const count = async (query: Record<string, string>): Promise<number> => (await ok('member', 'listServers', { query: { name: '^p-', ...query } })).servers.length
    assert.deepEqual([await count({ tags: 't1,t2' }), await count({ 'tags-any': 't1,t2' }), await count({ 'not-tags': 't1,t2' }), await count({ 'not-tags-any': 't2' })], [2, 4, 2, 2])
    assert.equal((await call('member', 'listServers', { query: { all_tenants: '1' } })).status, 403)
    await refused(400, /Invalid status value/, 'listServers', { query: { status: 'HAPPY' } })
    for (const bad of ['2011/01/01', 'yesterday', '2011-13-01T00:00:00Z', '1']) await refused(400, /date-time/, 'listServers', { query: { 'changes-since': bad } })
    const since = new Date(Date.now() - 3600_000).toISOString()
    await ok('member', 'deleteServer', { params: { server_id: ids[0]! } })
    const changed = (await ok('member', 'listServersDetailed', { query: { 'changes-since': since, limit: '1000' } })).servers
    assert.equal(changed.find((s: any) => s.id === ids[0]).status, 'DELETED')
    assert.ok((await ok('admin', 'listServersDetailed', { query: { all_tenants: '1', deleted: 'true' } })).servers.every((s: any) => s.status === 'DELETED'))
  })

  test('metadata and tags', async () => {
    const { id } = await create({ metadata: { a: '1' } }), params = { server_id: id }
    assert.deepEqual((await ok('member', 'createServerMetadata', { params, body: { metadata: { b: '2' } } })).metadata, { a: '1', b: '2' })
    assert.deepEqual((await ok('member', 'replaceServerMetadata', { params, body: { metadata: { c: '3' } } })).metadata, { c: '3' })
    await refused(400, /mismatch/, 'updateServerMetadataItem', { params: { ...params, key: 'x' }, body: { meta: { y: '1' } } })
    await refused(404, /not found/, 'deleteServerMetadataItem', { params: { ...params, key: 'x' } })
    await refused(400, /not of type/, 'createServerMetadata', { params, body: { metadata: { b: 2 } } })
    const added = await call('member', 'addServerTag', { params: { ...params, tag: 'x y' } })
    assert.equal(added.status, 201)
    assert.equal((await call('member', 'addServerTag', { params: { ...params, tag: 'x y' } })).status, 204)
    assert.deepEqual((await ok('member', 'listServerTags', { params })).tags, ['x y'])
    assert.equal((await call('member', 'deleteServerTag', { params: { ...params, tag: 'z' } })).status, 404)
  })

  test('update changes what it may, and shows all of the server from 2.75 on', async () => {
    const { id } = await create(), params = { server_id: id }
    const { server } = await ok('member', 'updateServer', { params, body: { server: { name: 'new', description: 'why', accessIPv4: '1.2.3.4', accessIPv6: '0::babe:220.12.22.2', hostname: 'a.example.org' } } })
    assert.deepEqual([server.name, server.description, server.accessIPv4, server.accessIPv6, server['OS-EXT-SRV-ATTR:hostname'], server['OS-EXT-STS:vm_state']], ['new', 'why', '1.2.3.4', '::babe:dc0c:1602', 'a.example.org', 'active'])
    await refused(400, /ipv4|valid under/, 'updateServer', { params, body: { server: { accessIPv4: 'x' } } })
  })

  test('a project in the path must be the token\'s; links keep it', async () => {
    assert.equal((await api.http('GET', `/compute/v2.1/${testOtherProjectId}/servers`, { token: 'member' })).status, 400)
    const { id } = await create()
    const { body } = await api.http<any>('GET', `/compute/v2.1/${testProjectId}/servers/${id}`, { token: 'member' })
    assert.equal(body.server.links[1].href, `${api.publicUrl}/compute/${testProjectId}/servers/${id}`)
  })

  test('a thousand servers cost as many queries as one', async () => {
    await create({ min_count: 500, name: 'many' })
    const queries = (limit: string): Promise<number> => queriesOf(api.store, async () => {
      assert.equal((await ok('member', 'listServersDetailed', { query: { limit } })).servers.length, Number(limit))
    })
    assert.equal(await queries('1'), await queries('400'))
  })
}

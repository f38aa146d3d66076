// Flavors, keypairs, quotas, hosts, zones, aggregates, groups, usage: their rules beside who may call them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { testProjectId } from '#kit/testing/api.ts'
import { fingerprintOf } from '../keypairs/ssh.ts'
import { heartbeat, report } from '../conductor/hosts-store.ts'
import type { ComputeTest } from './start.ts'

export function nounsSuite(start: () => Promise<ComputeTest>): void {
  let api: ComputeTest
  const facts = { hypervisorType: 'QEMU', hypervisorVersion: 7_002_000, vcpus: 8, memoryMib: 16_000, diskGib: 100, cpuInfo: { arch: 'x86_64', model: 'm', vendor: 'v', features: [], topology: { sockets: 1, cores: 8, threads: 1 } }, traits: [] }
  before(async () => {
    api = await start()
    for (const host of ['host-1', 'host-2']) await api.deps.store.tx((tx) => report(tx, host, '127.0.0.1', facts, new Date(Date.now() - 90_000_000).toISOString()))
  })
  after(() => api.close())

  /** `before` may lie long ago: in one process all files' hooks run first. */
  const hostsReport = () => api.deps.store.tx((tx) => heartbeat(tx, ['host-1', 'host-2']))

  type Call = Parameters<ComputeTest['call']>[3]
  const call = (as: string, operation: string, request: Call = {}) => api.call<any>(as, 'compute', operation, request)
  async function ok(as: string, operation: string, request: Call = {}): Promise<any> {
    const answer = await call(as, operation, request)
    assert.ok(answer.status < 300, `${operation}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const status = async (as: string, operation: string, request: Call = {}): Promise<number> => (await call(as, operation, request)).status

  test('versions are told to everybody, with and without a slash at the end', async () => {
    for (const path of ['/compute', '/compute/']) {
      const { status, body } = await api.http<any>('GET', path)
      assert.deepEqual([status, ...body.versions.map((v: any) => [v.id, v.status, v.min_version, v.links[0].href])], [200, ['v2.0', 'SUPPORTED', '', `${api.publicUrl}/compute/v2/`], ['v2.1', 'CURRENT', '2.1', `${api.publicUrl}/compute/v2.1/`]])
    }
    assert.equal((await api.http<any>('GET', '/compute/v2')).body.version.id, 'v2.0')
    for (const path of ['/compute/v2.1', '/compute/v2.1/', `/compute/v2.1/${testProjectId}`]) assert.equal((await api.http<any>('GET', path)).body.version.version, '2.96')
  })

  test('both headers ask for a version; the answer names it in both', async () => {
    const { headers } = await api.http('GET', '/compute/v2.1/flavors', { token: 'member', headers: { 'x-openstack-nova-api-version': '2.50' } })
    assert.equal(headers.get('openstack-api-version'), 'compute 2.50')
    assert.equal(headers.get('x-openstack-nova-api-version'), '2.50')
    assert.match(headers.get('vary')!, /OpenStack-API-Version/)
    assert.match(headers.get('x-compute-request-id')!, /^req-/)
    assert.equal((await api.http('GET', '/compute/v2.1/flavors', { token: 'member', headers: { 'openstack-api-version': 'compute 2.500' } })).status, 406)
    assert.equal((await api.http('GET', '/compute/v2.1/flavors', { token: 'member', headers: { 'openstack-api-version': 'compute two' } })).status, 400)
  })

  test('flavors: numbers as text, taken names and ids, filters, pages, private ones', async () => {
    const { flavor } = await ok('admin', 'createFlavor', { body: { flavor: { name: 'small', id: 'small', ram: '128', vcpus: '1', disk: '2', swap: 64 } } })
    assert.deepEqual([flavor.ram, flavor.swap, flavor.extra_specs], [128, 64, {}])
    assert.equal(await status('admin', 'createFlavor', { body: { flavor: { name: 'small', ram: 1, vcpus: 1, disk: 1 } } }), 409)
    assert.equal(await status('admin', 'createFlavor', { body: { flavor: { name: 'other', id: 'small', ram: 1, vcpus: 1, disk: 1 } } }), 409)
    for (const bad of [{ ram: '0' }, { ram: 0 }, { vcpus: 2 ** 31 }, { disk: -1 }, { ram: 'x' }, { id: ' x' }, { rxtx_factor: 0 }]) assert.equal(await status('admin', 'createFlavor', { body: { flavor: { name: 'bad', ram: 1, vcpus: 1, disk: 1, ...bad } } }), 400, JSON.stringify(bad))
    await ok('admin', 'createFlavor', { body: { flavor: { name: 'big', id: 'big', ram: 4096, vcpus: 4, disk: 40 } } })
    await ok('admin', 'createFlavor', { body: { flavor: { name: 'secret', id: 'secret', ram: 512, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false } } })
    const names = async (as: string, query = {}): Promise<string[]> => (await ok(as, 'listFlavors', { query })).flavors.map((f: any) => f.name)
    assert.deepEqual(await names('member'), ['big', 'small'])
    assert.deepEqual(await names('admin', { is_public: 'None' }), ['big', 'secret', 'small'])
    assert.deepEqual(await names('member', { minRam: '1000' }), ['big'])
    assert.deepEqual(await names('member', { sort_key: 'memory_mb', sort_dir: 'desc', limit: '1' }), ['big'])
    assert.deepEqual(await names('member', { marker: 'big' }), ['small'])
    assert.equal(await status('member', 'listFlavors', { query: { marker: 'nothing' } }), 400)
    assert.equal(await status('member', 'listFlavors', { query: { marker: 'secret', sort_key: 'memory_mb' } }), 400, 'one he does not see is no oracle')
    assert.deepEqual(await names('admin', { marker: 'secret' }), ['small'])
    assert.match((await ok('member', 'listFlavors', { query: { limit: '1' } })).flavors_links[0].href, /flavors\?limit=1&marker=big$/)
    await ok('admin', 'addFlavorAccess', { params: { flavor_id: 'secret' }, body: { tenant: testProjectId } })
    assert.deepEqual(await names('member'), ['big', 'secret', 'small'])
    assert.equal(await status('other', 'showFlavor', { params: { flavor_id: 'secret' } }), 404)
    assert.equal(await status('admin', 'addFlavorAccess', { params: { flavor_id: 'big' }, body: { tenant: testProjectId } }), 409)
    assert.equal((await ok('member', 'showFlavor', { params: { flavor_id: 'big' }, version: '2.74' })).flavor.swap, '')
    assert.equal((await ok('member', 'showFlavor', { params: { flavor_id: 'big' } })).flavor.swap, 0)
  })

  test('extra specs: known families are checked from 2.86 on', async () => {
    const params = { flavor_id: 'small' }
    assert.equal(await status('admin', 'createExtraSpecs', { params, body: { extra_specs: { 'hw:nonsense': '1' } } }), 400)
    assert.equal(await status('admin', 'createExtraSpecs', { params, body: { extra_specs: { 'hw:nonsense': '1' } }, version: '2.85' }), 200)
    assert.equal(await status('admin', 'createExtraSpecs', { params, body: { extra_specs: { 'trait:HW_CPU_X86_AVX': 'maybe' } } }), 400)
    await ok('admin', 'createExtraSpecs', { params, body: { extra_specs: { 'trait:HW_CPU_X86_AVX': 'required', mine: 'x' } } })
    assert.deepEqual(await ok('member', 'showExtraSpec', { params: { ...params, key: 'mine' } }), { mine: 'x' })
    assert.equal(await status('admin', 'updateExtraSpec', { params: { ...params, key: 'mine' }, body: { yours: 'x' } }), 400)
    assert.equal(await status('admin', 'deleteExtraSpec', { params: { ...params, key: 'none' } }), 404)
  })

  test('keypairs: made (before 2.92) and imported, never shown again, and what is no key refused', async () => {
    const made = await call('member', 'createKeypair', { body: { keypair: { name: 'made' } }, version: '2.91' })
    assert.equal(made.status, 201)
    const { private_key, public_key, fingerprint } = made.body.keypair
    const jwk = createPublicKey(createPrivateKey(private_key)).export({ format: 'jwk' })
    assert.ok(Buffer.from(public_key.split(' ')[1], 'base64').includes(Buffer.from(jwk.n!, 'base64url')))
    assert.equal(fingerprintOf(public_key), fingerprint)
    assert.equal((await ok('member', 'showKeypair', { params: { keypair_name: 'made' } })).keypair.private_key, undefined)
    assert.equal(await status('member', 'createKeypair', { body: { keypair: { name: 'made', public_key } } }), 409)
    assert.equal(await status('member', 'createKeypair', { body: { keypair: { name: 'more' } } }), 400)
    for (const bad of ['nonsense', 'ssh-rsa AAAA', 'ssh-ed25519 ' + public_key.split(' ')[1], `${public_key}\nssh-rsa x`, 'ssh-rsa !!!']) assert.equal(await status('member', 'createKeypair', { body: { keypair: { name: 'bad', public_key: bad } } }), 400, bad.slice(0, 20))
    assert.equal(await status('member', 'createKeypair', { body: { keypair: { name: 'a@b.c', public_key } }, version: '2.91' }), 400)
    await ok('member', 'createKeypair', { body: { keypair: { name: 'a@b.c', public_key } } })
    assert.deepEqual((await ok('member', 'listKeypairs', { query: { limit: '1' } })).keypairs.map((k: any) => k.keypair.name), ['a@b.c'])
    assert.deepEqual((await ok('other', 'listKeypairs')).keypairs, [])
    assert.equal(await status('member', 'deleteKeypair', { params: { keypair_name: 'made' }, version: '2.1' }), 202)
    assert.equal(await status('member', 'deleteKeypair', { params: { keypair_name: 'made' } }), 404)
  })

  test('quotas: limits of a project, of a user, of everybody; not below what is used unless forced', async () => {
    const params = { tenant_id: testProjectId }
    await ok('admin', 'updateQuotaClass', { params: { class_id: 'default' }, body: { quota_class_set: { server_groups: 3 } } })
    assert.equal((await ok('member', 'showQuota', { params })).quota_set.server_groups, 3)
    for (let i = 0; i < 3; i++) await ok('member', 'createServerGroup', { body: { server_group: { name: `g${i}`, policy: 'affinity' } } })
    assert.equal(await status('member', 'createServerGroup', { body: { server_group: { name: 'g', policy: 'affinity' } } }), 403)
    assert.equal(await status('admin', 'updateQuota', { params, body: { quota_set: { server_groups: 2 } } }), 400)
    assert.equal((await ok('admin', 'updateQuota', { params, body: { quota_set: { server_groups: '2', force: 'True' } } })).quota_set.server_groups, 2)
    assert.equal(await status('admin', 'updateQuota', { params, query: { user_id: 'u' }, body: { quota_set: { instances: 11 } } }), 400)
    assert.equal((await ok('admin', 'updateQuota', { params, query: { user_id: 'u' }, body: { quota_set: { instances: 5 } } })).quota_set.instances, 5)
    assert.equal((await ok('admin', 'showQuota', { params })).quota_set.instances, 10)
    assert.equal(await status('admin', 'updateQuota', { params, body: { quota_set: { floating_ips: 1 } } }), 400)
    assert.equal(await status('admin', 'deleteQuota', { params }), 202)
    assert.equal((await ok('member', 'showQuota', { params })).quota_set.server_groups, 3)
    const limits = await ok('member', 'showLimits')
    assert.deepEqual([limits.limits.absolute.maxTotalInstances, limits.limits.absolute.totalServerGroupsUsed, limits.limits.absolute.maxImageMeta], [10, 3, undefined])
  })

  test('server groups look as their version has them', async () => {
    assert.equal(await status('member', 'createServerGroup', { body: { server_group: { name: 'x', policies: ['affinity'] } } }), 400)
    assert.equal(await status('member', 'createServerGroup', { body: { server_group: { name: 'x', policies: ['soft-affinity'] } }, version: '2.14' }), 400)
    assert.equal(await status('member', 'createServerGroup', { body: { server_group: { name: 'x', policy: 'affinity', rules: { max_server_per_host: 2 } } } }), 400)
    const { server_group } = await ok('other', 'createServerGroup', { body: { server_group: { name: 'x', policy: 'anti-affinity', rules: { max_server_per_host: '2' } } } })
    assert.deepEqual(server_group.rules, { max_server_per_host: 2 })
    const old = (await ok('other', 'showServerGroup', { params: { server_group_id: server_group.id }, version: '2.1' })).server_group
    assert.deepEqual([old.policies, old.metadata, old.project_id], [['anti-affinity'], {}, undefined])
  })

  test('hypervisors by version: number or uuid, figures or none, servers, pages', async () => {
    await hostsReport()
    const old = (await ok('admin', 'listHypervisorsDetailed', { version: '2.1' })).hypervisors
    assert.deepEqual(old.map((h: any) => [h.id, h.hypervisor_hostname, h.state, h.vcpus, typeof h.cpu_info]), [[1, 'host-1', 'up', 8, 'string'], [2, 'host-2', 'up', 8, 'string']])
    assert.equal(typeof (await ok('admin', 'showHypervisor', { params: { hypervisor_id: '1' }, version: '2.28' })).hypervisor.cpu_info, 'object')
    const [first] = (await ok('admin', 'listHypervisors', { query: { limit: '1', with_servers: 'true' } })).hypervisors
    assert.deepEqual([first.hypervisor_hostname, first.servers, first.vcpus], ['host-1', [], undefined])
    assert.equal((await ok('admin', 'listHypervisors', { query: { marker: first.id } })).hypervisors[0].hypervisor_hostname, 'host-2')
    assert.equal(await status('admin', 'listHypervisors', { query: { hypervisor_hostname_pattern: 'nothing' } }), 404)
    assert.equal(await status('admin', 'showHypervisor', { params: { hypervisor_id: '1' } }), 400)
    assert.equal((await ok('admin', 'searchHypervisors', { params: { hypervisor_id: 'host' }, version: '2.52' })).hypervisors.length, 2)
    assert.match((await ok('admin', 'showHypervisorUptime', { params: { hypervisor_id: '1' }, version: '2.1' })).hypervisor.uptime, /^ \d\d:\d\d:\d\d up 1 day, 1:00$/)
    assert.match((await ok('admin', 'showHypervisor', { params: { hypervisor_id: first.id } })).hypervisor.uptime, / up 1 day/)
    assert.equal((await ok('admin', 'showHypervisorStatistics', { version: '2.87' })).hypervisor_statistics.vcpus, 16)
    assert.equal(await status('admin', 'showHypervisorStatistics', { version: '2.88' }), 404)
  })

  test('services are disabled and forced down, in both ways of asking; a host with servers is not forgotten', async () => {
    await hostsReport()
    const [service] = (await ok('admin', 'listComputeServices', { query: { host: 'host-1' } })).services
    assert.deepEqual([service.state, service.status, service.zone, service.forced_down], ['up', 'enabled', 'nova', false])
    const disabled = (await ok('admin', 'updateComputeService', { params: { service_id: service.id }, body: { status: 'disabled', disabled_reason: 'rest' } })).service
    assert.deepEqual([disabled.status, disabled.disabled_reason], ['disabled', 'rest'])
    assert.equal(await status('admin', 'updateComputeService', { params: { service_id: service.id }, body: { disabled_reason: 'rest' } }), 400)
    await ok('admin', 'enableComputeService', { body: { host: 'host-1', binary: 'nova-compute' }, version: '2.1' })
    assert.equal((await ok('admin', 'forceDownComputeService', { body: { host: 'host-1', binary: 'nova-compute', forced_down: true }, version: '2.11' })).service.forced_down, true)
    assert.equal((await ok('admin', 'listComputeServices', { query: { host: 'host-1' } })).services[0].state, 'down')
    await ok('admin', 'updateComputeService', { params: { service_id: service.id }, body: { forced_down: false } })
    await hostsReport()
    const { id } = (await ok('member', 'createServer', { body: { server: { name: 's', imageRef: api.world.images[0]!.id, flavorRef: 'small', networks: 'none' } } })).server
    assert.equal(await status('admin', 'deleteComputeService', { params: { service_id: service.id } }), 409)
    const shown = (await ok('admin', 'showServer', { params: { server_id: id } })).server
    assert.deepEqual([shown.host_status, shown['OS-EXT-AZ:availability_zone'], shown['OS-EXT-SRV-ATTR:instance_name']], ['UP', 'nova', 'instance-00000001'])
    assert.deepEqual((await ok('admin', 'showHypervisor', { params: { hypervisor_id: (await ok('admin', 'listHypervisors')).hypervisors[0].id }, query: { with_servers: 'true' } })).hypervisor.servers, [{ name: 'instance-00000001', uuid: id }])
    const usage = (await ok('member', 'showUsage', { params: { tenant_id: testProjectId }, query: { start: '2020-01-01T00:00:00.123456' } })).tenant_usage
    assert.equal(usage.start, '2020-01-01T00:00:00.123456')
    assert.deepEqual([usage.server_usages[0].instance_id, usage.server_usages[0].memory_mb], [id, 128])
  })

  test('aggregates make zones; a host is in one zone, and zones do not move under servers', async () => {
    await hostsReport()
    const { id } = (await ok('admin', 'createAggregate', { body: { aggregate: { name: 'a', availability_zone: 'west' } } })).aggregate, params = { aggregate_id: String(id) }
    assert.equal(await status('admin', 'createAggregate', { body: { aggregate: { name: 'a' } } }), 409)
    assert.deepEqual((await ok('admin', 'addHostToAggregate', { params, body: { host: 'host-2' } })).aggregate.hosts, ['host-2'])
    assert.equal(await status('admin', 'addHostToAggregate', { params, body: { host: 'host-2' } }), 409)
    assert.equal(await status('admin', 'addHostToAggregate', { params, body: { host: 'host-1' } }), 409, 'host-1 has a server')
    const zones = (await ok('member', 'listAvailabilityZones')).availabilityZoneInfo
    assert.deepEqual(zones.map((z: any) => [z.zoneName, z.zoneState.available, z.hosts]).sort(), [['nova', true, null], ['west', true, null]])
    const other = (await ok('admin', 'createAggregate', { body: { aggregate: { name: 'b', availability_zone: 'east' } } })).aggregate
    assert.equal(await status('admin', 'addHostToAggregate', { params: { aggregate_id: String(other.id) }, body: { host: 'host-2' } }), 409)
    assert.equal((await ok('admin', 'setAggregateMetadata', { params, body: { metadata: { ssd: 'true', availability_zone: 'north' } } })).aggregate.availability_zone, 'north')
    assert.deepEqual((await ok('admin', 'setAggregateMetadata', { params, body: { metadata: { ssd: null } } })).aggregate.metadata, { availability_zone: 'north' })
    assert.equal((await ok('admin', 'updateAggregate', { params, body: { aggregate: { availability_zone: 'south' } } })).aggregate.availability_zone, 'south')
    await ok('member', 'createServer', { body: { server: { name: 's', imageRef: api.world.images[0]!.id, flavorRef: 'small', networks: 'none', availability_zone: 'south' } } })
    assert.equal(await status('member', 'createServer', { body: { server: { name: 's', imageRef: api.world.images[0]!.id, flavorRef: 'small', networks: 'none', availability_zone: 'east' } } }), 400)
    assert.equal(await status('admin', 'deleteAggregate', { params }), 400)
    await ok('admin', 'removeHostFromAggregate', { params, body: { host: 'host-2' } })
    assert.equal(await status('admin', 'deleteAggregate', { params }), 200)
    assert.equal(await status('admin', 'showAggregate', { params }), 404)
    assert.equal(await status('admin', 'showAggregate', { params: { aggregate_id: 'x' } }), 400)
  })
}

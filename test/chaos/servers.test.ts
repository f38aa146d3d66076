// Requests that meet each other, hosts that come and go, guests that die: what users see, and that nothing is left.
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { unavailable } from '#base/errors.ts'
import { waitFor } from '#base/retry.ts'
import type { CloudConfig } from '#bin/config.ts'
import { resendPower, freeClaims } from '#services/compute/conductor/reconcile.ts'
import { select } from '#services/compute/scheduler/select.ts'
import { testCloud, type TestCloud } from '../cloud.ts'
import { audit, quiet } from './audit.ts'
import { hold } from './gate.ts'

async function start(t: TestContext, over: Partial<CloudConfig> = {}): Promise<{ cloud: TestCloud, token: string }> {
  const cloud = await testCloud(over)
  t.after(() => cloud.close())
  return { cloud, token: await cloud.login() }
}
const remove = (cloud: TestCloud, token: string, id: string) => cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)
const act = (cloud: TestCloud, token: string, id: string, body: object) => cloud.http(token, 'POST', `/compute/v2.1/servers/${id}/action`, body)
const show = async (cloud: TestCloud, token: string, id: string) => (await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}`)).body.server
async function nothingWrong(cloud: TestCloud, away: string[] = []): Promise<void> {
  await cloud.runner.idle()
  await quiet(cloud, away)
  assert.deepEqual(await audit(cloud, away), [])
}
/** As if the host had not been heard of for long. */
const longSilent = (cloud: TestCloud, host: string) => cloud.store.tx((tx) => tx.db.updateTable('computeHosts').set({ reportedAt: '2020-01-01T00:00:00.000Z' }).where('host', '=', host).execute())
/** What the reconciler works with, as bin/conductor.ts gives it. */
const reconciling = (cloud: TestCloud) => ({
  store: cloud.store.as<any>(), bus: cloud.bus, placement: cloud.client('placement'), log: cloud.log, context: () => cloud.context({ service: 'compute', userId: '', roles: [] }), graceMs: 1000, downAfterMs: 60_000,
})

test('a server that is being built is deleted', async (t) => {
  const { cloud, token } = await start(t)
  const gate = hold(cloud.hypervisor, 'ensure')
  const id = await cloud.boot(token)
  await gate.reached
  assert.equal((await remove(cloud, token, id)).status, 204)
  const server = await show(cloud, token, id)
  assert.deepEqual([server.status, server['OS-EXT-STS:task_state']], ['BUILD', 'deleting'])
  assert.equal((await remove(cloud, token, id)).status, 204, 'asking again is no error')
  gate.release()
  await cloud.gone(token, id)
  await nothingWrong(cloud)
})

test('deletes of a server at once are one', async (t) => {
  const { cloud, token } = await start(t)
  for (const state of ['ACTIVE', 'BUILD']) {
    const id = await cloud.boot(token)
    if (state === 'ACTIVE') await cloud.settled(token, id, 'ACTIVE')
    const replies = await Promise.all(Array.from({ length: 20 }, () => remove(cloud, token, id)))
    for (const { status } of replies) assert.ok(status === 204 || status === 404, String(status))
    await cloud.gone(token, id)
    assert.equal((await remove(cloud, token, id)).status, 404)
    await nothingWrong(cloud)
  }
})

test('a server in ERROR is deleted', async (t) => {
  const { cloud, token } = await start(t)
  const mend = cloud.hypervisor.fail({ operation: 'ensure', afterwards: true, message: 'The virtual machine monitor died.' })
  const id = await cloud.boot(token)
  const server = await cloud.settled(token, id, 'ERROR')
  assert.equal(server.fault.message, 'The virtual machine monitor died.')
  assert.equal(server['OS-EXT-STS:power_state'], 0)
  assert.equal((await act(cloud, token, id, { 'os-start': null })).status, 409)
  await nothingWrong(cloud)
  const { body: { quota_set: used } } = await cloud.http(token, 'GET', `/compute/v2.1/os-quota-sets/${server.tenant_id}/detail`)
  assert.equal(used.instances.in_use, 1, 'a server in ERROR still counts')
  mend()
  assert.equal((await remove(cloud, token, id)).status, 204)
  await cloud.gone(token, id)
  await nothingWrong(cloud)
})

test('a server is deleted while its host is away; the host hears of it when it is back', async (t) => {
  const { cloud } = await start(t, { fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 2 }, heartbeatMs: 1000, downAfterMs: 6000 })
  const admin = await cloud.login('admin')
  const far = cloud.hosts.list.find((h) => h.name !== cloud.config.host)!
  const id = (await cloud.http(admin, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }], availability_zone: `nova:${far.name}` } })).body.server.id as string
  assert.equal((await cloud.settled(admin, id, 'ACTIVE', 'ERROR'))['OS-EXT-SRV-ATTR:host'], far.name)
  await nothingWrong(cloud)

  await far.stop()
  await longSilent(cloud, far.name)
  assert.equal((await remove(cloud, admin, id)).status, 204)
  await cloud.gone(admin, id)
  assert.equal((await far.hypervisor.list(cloud.context({ userId: '', roles: [] }))).length, 1, 'the guest goes on, unknown to anybody')
  await nothingWrong(cloud, [far.name])

  await cloud.hosts.start(far.name, far)
  await waitFor('the guest to go', async () => ((await far.hypervisor.list(cloud.context({ userId: '', roles: [] }))).length === 0 ? true : undefined), 20_000, 5)
  await nothingWrong(cloud)
})

test('a build whose host goes away is tried on another, and the first has nothing when it is back', async (t) => {
  const { cloud, token } = await start(t, { fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 2 }, heartbeatMs: 1000, downAfterMs: 6000 })
  const admin = await cloud.login('admin')
  const far = cloud.hosts.list.find((h) => h.name !== cloud.config.host)!
  // The scheduler takes the emptier host.
  const ballast = (await cloud.http(admin, 'POST', '/compute/v2.1/servers', { server: { name: 'b', imageRef: cloud.imageId, flavorRef: '2', networks: 'none', availability_zone: `nova:${cloud.config.host}` } }, { 'openstack-api-version': 'compute 2.37' })).body.server.id as string
  await cloud.settled(admin, ballast, 'ACTIVE')
  const gate = hold(far.hypervisor, 'ensure')
  const id = await cloud.boot(token)
  await gate.reached
  const stopped = far.stop()
  await longSilent(cloud, far.name)
  const server = await cloud.settled(token, id, 'ACTIVE', 'ERROR')
  assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
  assert.equal((await show(cloud, admin, id))['OS-EXT-SRV-ATTR:host'], cloud.config.host)
  gate.release()
  await stopped
  await cloud.hosts.start(far.name, far)
  await nothingWrong(cloud)
})

test('of many power changes at once one is done, the others are told so', async (t) => {
  const { cloud, token } = await start(t)
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  for (const [action, status] of [['os-stop', 'SHUTOFF'], ['os-start', 'ACTIVE'], ['pause', 'PAUSED'], ['unpause', 'ACTIVE'], ['suspend', 'SUSPENDED'], ['resume', 'ACTIVE']] as const) {
    const gate = hold(cloud.hypervisor, 'power')
    const replies = await Promise.all(Array.from({ length: 10 }, () => act(cloud, token, id, { [action]: null })))
    assert.deepEqual(replies.map((r) => r.status).sort(), [202, ...Array.from({ length: 9 }, () => 409)], action)
    gate.release()
    await cloud.settled(token, id, status)
  }
  await nothingWrong(cloud)
})

test('a delete in the middle of a power change', async (t) => {
  const { cloud, token } = await start(t)
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  const gate = hold(cloud.hypervisor, 'power')
  assert.equal((await act(cloud, token, id, { 'os-stop': null })).status, 202)
  await gate.reached
  assert.equal((await remove(cloud, token, id)).status, 204)
  assert.equal((await act(cloud, token, id, { 'os-start': null })).status, 409)
  gate.release()
  await cloud.gone(token, id)
  await nothingWrong(cloud)
})

test('a power change that fails leaves the server as it was', async (t) => {
  const { cloud, token } = await start(t)
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  const mend = cloud.hypervisor.fail({ operation: 'power' })
  assert.equal((await act(cloud, token, id, { 'os-stop': null })).status, 202)
  await cloud.settled(token, id, 'ACTIVE')
  mend()
  assert.equal((await act(cloud, token, id, { 'os-stop': null })).status, 202)
  await cloud.settled(token, id, 'SHUTOFF')
  await nothingWrong(cloud)
})

test('a power change that got lost is asked for again, and its action ends', async (t) => {
  const { cloud, token } = await start(t)
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  const gate = hold(cloud.hypervisor, 'power')
  assert.equal((await act(cloud, token, id, { 'os-stop': null })).status, 202)
  assert.equal(await resendPower(reconciling(cloud)), 0, 'too young')
  await gate.reached
  gate.release()
  await cloud.settled(token, id, 'SHUTOFF')

  // As a dead letter leaves it.
  assert.equal((await act(cloud, token, id, { 'os-start': null })).status, 202)
  await cloud.settled(token, id, 'ACTIVE')
  await cloud.store.tx((tx) => tx.db.updateTable('computeServers').set({ taskState: 'powering-off', vmState: 'active' }).where('id', '=', id).execute())
  assert.equal((await show(cloud, token, id))['OS-EXT-STS:task_state'], 'powering-off')
  assert.equal(await resendPower(reconciling(cloud), -1000), 1)
  await cloud.settled(token, id, 'SHUTOFF')
  assert.equal(await resendPower(reconciling(cloud), -1000), 0)
  await nothingWrong(cloud)
})

test('a claim that landed after everybody had given up on it is freed', async (t) => {
  const { cloud, token } = await start(t)
  const mend = cloud.hypervisor.fail({ operation: 'ensure' })
  const failed = await cloud.boot(token), removed = await cloud.boot(token)
  await cloud.settled(token, failed, 'ERROR')
  await cloud.settled(token, removed, 'ERROR')
  await remove(cloud, token, removed)
  await cloud.gone(token, removed)
  mend()
  const alive = await cloud.boot(token)
  await cloud.settled(token, alive, 'ACTIVE')
  const admin = await cloud.login('admin')
  const { body: { resource_providers: [{ uuid }] } } = await cloud.http(admin, 'GET', '/placement/resource_providers')
  const foreign = crypto.randomUUID()
  for (const consumer of [failed, removed, foreign]) {
    const { status } = await cloud.http(admin, 'PUT', `/placement/allocations/${consumer}`, { allocations: [{ resource_provider: { uuid }, resources: { VCPU: 1 } }] })
    assert.equal(status, 204)
  }
  assert.equal(await freeClaims(reconciling(cloud), 0), 2)
  assert.equal(await freeClaims(reconciling(cloud), 0), 0)
  const { body: { allocations } } = await cloud.http(admin, 'GET', `/placement/resource_providers/${uuid}/allocations`)
  assert.deepEqual(Object.keys(allocations).sort(), [alive, foreign].sort())
  await cloud.http(admin, 'DELETE', `/placement/allocations/${foreign}`)
  await nothingWrong(cloud)
})

test('a claim that lands after its own undo does not stand in the way of the next attempt', async (t) => {
  const { cloud, token } = await start(t, { fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 2 } })
  const placement = cloud.client('placement'), ctx = cloud.context({ service: 'compute', userId: '', roles: [] })
  const { body: { resource_providers: providers } } = await placement.call(ctx, 'listResourceProviders')
  const call = cloud.bus.call, asked: any[] = []
  let first: string | undefined
  t.after(() => { cloud.bus.call = call })
  cloud.bus.call = (async (c: never, contract: never, name: string, request: any, options: never) => {
    if (name !== 'select') return call(c, contract, name as never, request as never, options)
    // The first choice is not heard of in time, and is undone; the second one's host fails; by then the first one's claim has come, on that very host.
    if (asked.push(request) === 1) throw unavailable('no answer')
    if (first !== undefined) {
      const { status } = await placement.call(ctx, 'replaceAllocations', { params: { consumer_uuid: request.serverId }, body: {
        allocations: { [providers.find((p: any) => p.name === first).uuid]: { resources: { VCPU: 1 } } }, project_id: request.projectId, user_id: request.userId, consumer_generation: null, consumer_type: 'INSTANCE',
      } })
      assert.equal(status, 204)
    }
    const reply: any = await call(c, contract, name as never, request as never, options)
    first ??= reply.host
    return reply
  }) as never
  let failed = false
  for (const { hypervisor } of cloud.hosts.list) {
    const real = hypervisor.ensure.bind(hypervisor)
    hypervisor.ensure = async (...args) => { if (!failed) { failed = true; throw new Error('the first one fails') } return real(...args) }
  }
  const server = await cloud.settled(token, await cloud.boot(token), 'ACTIVE', 'ERROR')
  assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
  assert.deepEqual(asked.map((r) => r.exclude), [[], [], [first]])
  const { host } = await cloud.store.read((tx) => tx.db.selectFrom('computeServers').select('host').where('id', '=', server.id).executeTakeFirstOrThrow()) as { host: string }
  assert.notEqual(host, first)
  await nothingWrong(cloud)

  // Who is asked when nobody waits any more claims nothing.
  const late = { ...asked[1], serverId: crypto.randomUUID() }
  await assert.rejects(select({ ...ctx, deadlineAt: Date.now() - 1 }, late, { store: cloud.store.as(), placement, downAfterMs: 60_000 }), /took too long/)
  assert.deepEqual((await placement.call(ctx, 'showAllocations', { params: { consumer_uuid: late.serverId } })).body.allocations, {})
})

test('servers of a group that are placed at the same moment keep to its policy', async (t) => {
  const { cloud, token } = await start(t, { fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 5 } })
  const call = cloud.bus.call
  t.after(() => { cloud.bus.call = call })
  const place = async (policy: string, count: number): Promise<{ status: string, host: string }[]> => {
    // All of them have chosen before any is told where to go.
    let chosen = 0
    const all = Promise.withResolvers<void>()
    cloud.bus.call = (async (...args: Parameters<typeof call>) => {
      const reply = await call(...args)
      if (args[2] === 'select') {
        if (++chosen === count) all.resolve()
        await all.promise
      }
      return reply
    }) as never
    const { body: { server_group: { id: group } } } = await cloud.http(token, 'POST', '/compute/v2.1/os-server-groups', { server_group: { name: policy, policy } }, { 'openstack-api-version': 'compute 2.64' })
    const { status } = await cloud.http(token, 'POST', '/compute/v2.1/servers', {
      'server': { name: policy, imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }], min_count: count }, 'os:scheduler_hints': { group },
    })
    assert.equal(status, 202)
    const { body: { server_groups: groups } } = await cloud.http(token, 'GET', '/compute/v2.1/os-server-groups'), ids: string[] = groups.find((g: any) => g.id === group).members
    assert.equal(ids.length, count)
    for (const id of ids) await cloud.settled(token, id, 'ACTIVE', 'ERROR')
    const rows = await cloud.store.read((tx) => tx.db.selectFrom('computeServers').selectAll().where('id', 'in', ids).execute()) as unknown as { id: string, vmState: string, host: string }[]
    const seen = rows.map((row) => ({ status: row.vmState, host: row.host }))
    for (const id of ids) { await remove(cloud, token, id); await cloud.gone(token, id) }
    await nothingWrong(cloud)
    return seen
  }
  const apart = await place('anti-affinity', 5)
  assert.deepEqual([apart.every((s) => s.status === 'active'), new Set(apart.map((s) => s.host)).size], [true, 5], JSON.stringify(apart))
  const together = await place('affinity', 4)
  assert.deepEqual([together.every((s) => s.status === 'active'), new Set(together.map((s) => s.host)).size], [true, 1], JSON.stringify(together))
})

test('a guest that dies or switches itself off is SHUTOFF, and can be started again', async (t) => {
  const { cloud, token } = await start(t)
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  for (const end of ['kill', 'shutDown'] as const) {
    await cloud.hypervisor[end](id)
    const server = await cloud.settled(token, id, 'SHUTOFF')
    assert.equal(server['OS-EXT-STS:power_state'], end === 'kill' ? 6 : 4)
    await nothingWrong(cloud)
    assert.equal((await act(cloud, token, id, { 'os-start': null })).status, 202)
    await cloud.settled(token, id, 'ACTIVE')
  }
  await nothingWrong(cloud)
})

test('a guest that dies at once is SHUTOFF, whoever is heard first', async (t) => {
  const { cloud, token } = await start(t)
  const { hypervisor } = cloud, { ensure, power } = hypervisor
  hypervisor.ensure = async (ctx, spec) => { await ensure.call(hypervisor, ctx, spec); await hypervisor.kill(spec.id) }
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'SHUTOFF')
  hypervisor.power = async (ctx, of, change) => { await power.call(hypervisor, ctx, of, change); await hypervisor.kill(of) }
  assert.equal((await act(cloud, token, id, { 'os-start': null })).status, 202)
  await waitFor('the answer', async () => ((await show(cloud, token, id))['OS-EXT-STS:task_state'] === null ? true : undefined), 20_000, 5)
  await quiet(cloud)
  assert.equal((await show(cloud, token, id)).status, 'SHUTOFF')
  await nothingWrong(cloud)
})

test('a restarted control plane adopts its guests, and sees what became of them meanwhile', async (t) => {
  const first = await testCloud()
  let cloud = first
  t.after(() => cloud.close())
  let token = await cloud.login()
  const [a, b, c] = await Promise.all([cloud.boot(token), cloud.boot(token), cloud.boot(token)]) as [string, string, string]
  for (const id of [a, b, c]) await cloud.settled(token, id, 'ACTIVE')
  await quiet(cloud)
  await cloud.stop()
  // While nobody looks, one dies and one is lost with its files.
  await first.hypervisor.kill(b)
  await first.hypervisor.remove(cloud.context({ userId: '', roles: [] }), c)
  cloud = await first.restart()
  token = await cloud.login()
  await quiet(cloud)
  assert.equal((await show(cloud, token, a)).status, 'ACTIVE')
  assert.equal((await show(cloud, token, b)).status, 'SHUTOFF')
  assert.equal((await show(cloud, token, c)).status, 'SHUTOFF')
  assert.equal(cloud.hypervisor.calls.ensure ?? 0, 0, 'nothing was built again')
  for (const id of [a, b, c]) await remove(cloud, token, id)
  for (const id of [a, b, c]) await cloud.gone(token, id)
  await nothingWrong(cloud)
})

test('killed in the middle of builds and deletes, the next life finishes them', async (t) => {
  const first = await testCloud()
  let cloud = first
  t.after(() => cloud.close())
  let token = await cloud.login()
  const doomed = await cloud.boot(token)
  await cloud.settled(token, doomed, 'ACTIVE')
  const gates = [hold(cloud.hypervisor, 'ensure'), hold(cloud.hypervisor, 'remove')]
  const [building, dropped] = await Promise.all([cloud.boot(token), cloud.boot(token)]) as [string, string]
  await remove(cloud, token, doomed)
  await remove(cloud, token, dropped)
  await Promise.all(gates.map((g) => g.reached))
  setImmediate(() => { for (const g of gates) g.release() })
  cloud = await first.crash()
  token = await cloud.login()
  const server = await cloud.settled(token, building, 'ACTIVE', 'ERROR')
  assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
  for (const id of [doomed, dropped]) await cloud.gone(token, id)
  await nothingWrong(cloud)
})

// What a whole cloud promises on every database and every bus. Run by engines.real.test.ts; the cloud has the fake drivers.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { waitFor } from '#base/retry.ts'
import type { TestCloud } from '../cloud.ts'

/** Every resource of a project that a server takes for itself; equal before and after means that nothing was left. */
export async function census(cloud: TestCloud, token: string): Promise<object> {
  const admin = await cloud.login('admin')
  const { body: { resource_providers: providers } } = await cloud.http(admin, 'GET', '/placement/resource_providers')
  const usages = await Promise.all(providers.map(async (p: { uuid: string }) => (await cloud.http(admin, 'GET', `/placement/resource_providers/${p.uuid}/usages`)).body.usages))
  const { body: { limits: { absolute } } } = await cloud.http(token, 'GET', '/compute/v2.1/limits')
  return {
    servers: (await cloud.http(admin, 'GET', '/compute/v2.1/servers?all_tenants=1')).body.servers.length,
    ports: (await cloud.http(admin, 'GET', '/network/v2.0/ports')).body.ports.length, usages,
    used: [absolute.totalInstancesUsed, absolute.totalCoresUsed, absolute.totalRAMUsed],
    guests: (await cloud.hypervisor.list(cloud.context({ userId: '', roles: [] }))).length,
    sagas: (await cloud.runner.list()).map((saga) => `${saga.name} ${saga.state}`),
    outbox: Number((await cloud.store.read((tx) => tx.db.selectFrom('kitOutbox').select((eb) => eb.fn.countAll().as('n')).executeTakeFirstOrThrow())).n),
  }
}

/** Waits until the census is this one: messages may still be under way when the last answer is given. */
export async function comesToRest(cloud: TestCloud, token: string, wanted: object): Promise<void> {
  let seen: object = {}
  await waitFor('everything to be as before', async () => isDeepStrictEqual(seen = await census(cloud, token), wanted) || undefined, 20_000).catch(() => assert.deepEqual(seen, wanted))
}

/** Deletes servers side by side and waits until they are gone. */
export async function removeAll(cloud: TestCloud, token: string, ids: string[]): Promise<void> {
  await Promise.all(ids.map(async (id) => {
    assert.equal((await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
    await cloud.gone(token, id)
  }))
}

/** Statuses and how often each came. */
export const tally = (statuses: number[]): Record<number, number> => Object.fromEntries([...Map.groupBy(statuses, (s) => s)].map(([status, all]) => [status, all.length]))

/** `current` answers the cloud under test, which a test may have replaced. */
export function cloudSuite(current: () => TestCloud): void {
  let token: string, cloud: TestCloud
  before(async () => { cloud = current(); token = await cloud.login() })

  test('a server\'s life: created, listed, stopped, started, explained, deleted, and nothing is left', async () => {
    const empty = await census(cloud, token)
    const id = await cloud.boot(token)
    const server = await cloud.settled(token, id, 'ACTIVE', 'ERROR')
    assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
    assert.equal(server.addresses.private.length, 1)
    assert.deepEqual((await cloud.http(token, 'GET', '/compute/v2.1/servers/detail')).body.servers.map((s: { id: string }) => s.id), [id])
    for (const [action, status] of [['os-stop', 'SHUTOFF'], ['os-start', 'ACTIVE'], ['pause', 'PAUSED'], ['unpause', 'ACTIVE']] as const) {
      assert.equal((await cloud.http(token, 'POST', `/compute/v2.1/servers/${id}/action`, { [action]: null })).status, 202, action)
      await cloud.settled(token, id, status)
    }
    const { body: { trace } } = await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}/trace`)
    assert.equal(trace.steps.length, 28)
    assert.deepEqual(trace.steps.filter((s: { missing?: boolean }) => s.missing).map((s: { step: number }) => s.step), [])
    await removeAll(cloud, token, [id])
    await comesToRest(cloud, token, empty)
  })

  test('of 50 servers at once a quota of 10 lets exactly 10 in, and 10 more when they are gone', async () => {
    const empty = await census(cloud, token)
    for (let round = 1; round <= 2; round++) {
      const replies = await Promise.all(Array.from({ length: 50 }, () => cloud.http(token, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }] } })))
      assert.deepEqual(tally(replies.map((r) => r.status)), { 202: 10, 403: 40 }, `round ${round}`)
      const ids = replies.filter((r) => r.status === 202).map((r) => r.body.server.id as string)
      const servers = await Promise.all(ids.map((id) => cloud.settled(token, id, 'ACTIVE', 'ERROR')))
      assert.deepEqual(servers.filter((s) => s.status !== 'ACTIVE').map((s) => s.fault), [])
      assert.equal(new Set(servers.map((s) => s.addresses.private[0].addr)).size, 10)
      await removeAll(cloud, token, ids)
    }
    await comesToRest(cloud, token, empty)
  })

  test('of 50 ports at once a small subnet gives each address once, and refuses the rest', async () => {
    const { body: { network } } = await cloud.http(token, 'POST', '/network/v2.0/networks', { network: { name: 'small' } })
    const { body: { subnet } } = await cloud.http(token, 'POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.77.0.0/28', enable_dhcp: false } })
    const replies = await Promise.all(Array.from({ length: 50 }, () => cloud.http(token, 'POST', '/network/v2.0/ports', { port: { network_id: network.id } })))
    // 14 addresses of which the gateway has one.
    assert.deepEqual(tally(replies.map((r) => r.status)), { 201: 13, 409: 37 }, JSON.stringify(replies.find((r) => r.status !== 201 && r.status !== 409)?.body))
    const ports = replies.filter((r) => r.status === 201).map((r) => r.body.port)
    assert.equal(new Set(ports.map((p) => p.fixed_ips[0].ip_address)).size, 13)
    const gone = await Promise.all(ports.map((p) => cloud.http(token, 'DELETE', `/network/v2.0/ports/${p.id}`)))
    assert.deepEqual(tally(gone.map((r) => r.status)), { 204: 13 })
    assert.equal((await cloud.http(token, 'DELETE', `/network/v2.0/subnets/${subnet.id}`)).status, 204)
    assert.equal((await cloud.http(token, 'DELETE', `/network/v2.0/networks/${network.id}`)).status, 204)
  })

  test('of many who add to one list at once none is lost', async () => {
    const admin = await cloud.login('admin')
    const id = await cloud.boot(token)
    await cloud.settled(token, id, 'ACTIVE')
    const tags = Array.from({ length: 20 }, (_x, i) => `tag-${String(i).padStart(2, '0')}`)
    for (const [path, as] of [[`/identity/v3/projects/${cloud.seeded.demoProjectId}/tags`, admin], [`/network/v2.0/networks/${cloud.networkId}/tags`, token], [`/compute/v2.1/servers/${id}/tags`, token]] as const) {
      const version = { 'openstack-api-version': 'compute 2.26' }
      const replies = await Promise.all(tags.map((tag) => cloud.http(as, 'PUT', `${path}/${tag}`, undefined, version)))
      assert.deepEqual(tally(replies.map((r) => r.status)), { 201: 20 }, path)
      assert.deepEqual((await cloud.http(as, 'GET', path, undefined, version)).body.tags.toSorted(), tags, path)
      assert.equal((await cloud.http(as, 'DELETE', path, undefined, version)).status, 204)
    }
    await removeAll(cloud, token, [id])
  })

  test('an image goes up, comes down the same, and is gone', async () => {
    const { body: image } = await cloud.http(token, 'POST', '/image/v2/images', { name: 'mine', disk_format: 'raw', container_format: 'bare' })
    const file = `${cloud.url}/image/v2/images/${image.id}/file`, bytes = Buffer.alloc(3_000_001, 'pileus')
    assert.equal((await fetch(file, { method: 'PUT', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream' }, body: bytes })).status, 204)
    const { body: shown } = await cloud.http(token, 'GET', `/image/v2/images/${image.id}`)
    assert.deepEqual([shown.status, shown.size], ['active', bytes.length])
    const down = await fetch(file, { headers: { 'x-auth-token': token } })
    assert.ok(Buffer.from(await down.arrayBuffer()).equals(bytes))
    assert.equal((await cloud.http(token, 'DELETE', `/image/v2/images/${image.id}`)).status, 204)
    assert.equal((await cloud.http(token, 'GET', `/image/v2/images/${image.id}`)).status, 404)
  })
}

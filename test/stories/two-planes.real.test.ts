// Two control planes on two hosts over one database and one broker: each does the work of both, and one that is killed is missed only for a while.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { openStore, parseStoreUrl, type Store } from '#kit/store/store.ts'
import { testConfig } from '../cloud.ts'
import { startPlane, type Plane } from '../plane.ts'
import { startMariadb } from '../servers/mariadb.ts'
import { startPostgres, type SqlServer } from '../servers/postgres.ts'
import { scratch } from '../servers/process.ts'
import { startRabbitmq, type RabbitmqServer } from '../servers/rabbitmq.ts'

const secrets = { adminPassword: 'admin-pass', demoPassword: 'demo-pass', sealKey: randomBytes(32) }

for (const [name, startSql] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) describe(`two control planes on ${name} and RabbitMQ`, () => {
  const place = scratch(`planes-${name.toLowerCase()}`)
  let sql: SqlServer, broker: RabbitmqServer, url: string, store: Store, one: Plane, two: Plane, token: string
  const plane = (host: string): Promise<Plane> => {
    const dir = join(place.dir, host)
    mkdirSync(dir, { recursive: true })
    return startPlane(testConfig(dir, {
      host, secrets, database: parseStoreUrl(url), bus: { transport: 'rabbitmq', url: broker.url }, heartbeatMs: 1_000, fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, delaysMs: { ensure: 300 } },
    }))
  }
  before(async () => {
    [sql, broker] = await Promise.all([startSql(`${place.dir}/sql`), startRabbitmq(`${place.dir}/broker`)])
    url = await sql.database()
    store = await openStore(parseStoreUrl(url))
    // Both migrate and seed one empty database at once.
    const started = await Promise.allSettled([plane('host-1').then((p) => { one = p }), plane('host-2').then((p) => { two = p })])
    for (const each of started) if (each.status === 'rejected') throw each.reason
    token = await one.login()
  })
  after(async () => {
    await Promise.all([one?.kill(), two?.kill()])
    await store?.close()
    await Promise.all([sql?.stop(), broker?.stop()])
    place.remove()
  })
  const hostsOf = async (ids: string[]): Promise<Record<string, string>> => {
    const admin = await two.login('admin')
    const { body: { servers } } = await two.http(admin, 'GET', '/compute/v2.1/servers/detail?all_tenants=1')
    return Object.fromEntries(servers.filter((s: { id: string }) => ids.includes(s.id)).map((s: Record<string, string>) => [s.id, s['OS-EXT-SRV-ATTR:host']]))
  }
  const active = async (through: Plane, ids: string[]): Promise<void> => {
    const servers = await Promise.all(ids.map((id) => through.settled(token, id, 'ACTIVE', 'ERROR')))
    assert.deepEqual(servers.filter((s) => s.status !== 'ACTIVE').map((s) => s.fault), [])
  }
  const remove = (through: Plane, ids: string[]): Promise<unknown> => Promise.all(ids.map(async (id) => {
    assert.equal((await through.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
    await through.gone(token, id)
  }))

  test('one seed, one token good for both, one catalogue', async () => {
    const admin = await two.login('admin')
    for (const [path, key, n] of [['/identity/v3/projects', 'projects', 2], ['/identity/v3/users', 'users', 2], ['/identity/v3/services', 'services', 5], ['/identity/v3/endpoints', 'endpoints', 15], ['/image/v2/images', 'images', 1], ['/network/v2.0/networks', 'networks', 2], ['/network/v2.0/routers', 'routers', 1], ['/compute/v2.1/os-hypervisors', 'hypervisors', 2]] as const) {
      const reply = await one.http(admin, 'GET', path)
      assert.equal(reply.body[key]?.length, n, `${path}: ${JSON.stringify(reply.body).slice(0, 500)}`)
    }
  })

  test('servers asked for through either are built on either, and deleted through the other', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_x, i) => (i % 2 ? one : two).boot(token)))
    await active(one, ids)
    assert.deepEqual([...new Set(Object.values(await hostsOf(ids)))].toSorted(), ['host-1', 'host-2'])
    for (const [action, status] of [['os-stop', 'SHUTOFF'], ['os-start', 'ACTIVE']] as const) {
      await Promise.all(ids.map(async (id, i) => {
        assert.equal((await (i % 3 ? one : two).http(token, 'POST', `/compute/v2.1/servers/${id}/action`, { [action]: null })).status, 202)
        await (i % 2 ? one : two).settled(token, id, status)
      }))
    }
    await Promise.all([remove(one, ids.filter((_id, i) => i % 2 === 0)), remove(two, ids.filter((_id, i) => i % 2 === 1))])
  })

  test('of 50 servers asked for through both, a quota of 10 lets 10 in', async () => {
    const replies = await Promise.all(Array.from({ length: 50 }, (_x, i) => (i % 2 ? one : two).http(token, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: one.imageId, flavorRef: '1', networks: [{ uuid: one.networkId }] } })))
    const ids = replies.filter((r) => r.status === 202).map((r) => r.body.server.id as string)
    assert.deepEqual([ids.length, replies.filter((r) => r.status === 403).length], [10, 40])
    await active(two, ids)
    await remove(one, ids)
  })

  // Leases and the patience with a silent host take a minute and a half; how engines hold leases is tested with the sagas.
  if (name === 'PostgreSQL') test('what a killed control plane had begun, the other ends: takes it over after the lease, and waits for no dead host', async (t) => {
    const standing = await Promise.all(Array.from({ length: 4 }, () => one.boot(token)))
    await active(two, standing)
    const ids = await Promise.all(Array.from({ length: 6 }, () => one.boot(token)))
    await one.kill()
    const killedAt = Date.now()
    const states = (): Promise<{ state: string, owner: string | null }[]> => store.read((tx) => tx.db.selectFrom('kitSagas').select(['state', 'owner']).where('state', 'in', ['queued', 'running', 'aborting', 'stuck']).execute()) as never
    await waitFor('no saga to be the dead one\'s', async () => (await states()).every((s) => !s.owner?.startsWith('host-1#')) || undefined, 120_000, 200)
    const takenMs = Date.now() - killedAt
    const servers = await Promise.all(ids.map((id) => waitFor(`server ${id} to come to rest`, async () => {
      const { server } = (await two.http(token, 'GET', `/compute/v2.1/servers/${id}`)).body
      return ['ACTIVE', 'ERROR'].includes(server.status) && server['OS-EXT-STS:task_state'] === null ? server : undefined
    }, 150_000, 200)))
    t.diagnostic(`taken over after ${takenMs} ms, at rest after ${Date.now() - killedAt} ms on ${Object.values(await hostsOf(ids)).join(', ')}`)
    assert.deepEqual(servers.filter((s) => s.status !== 'ACTIVE').map((s) => s.fault), [])
    assert.deepEqual((await states()).filter((s) => s.state === 'stuck'), [])
    // Guests on the lost host are out of reach; their records can go.
    await remove(two, [...standing, ...ids])
  })

  if (name === 'PostgreSQL') test('the killed one comes back and both do their work', async () => {
    one = await plane('host-1')
    const ids = await Promise.all(Array.from({ length: 8 }, (_x, i) => (i % 2 ? one : two).boot(token)))
    await active(one, ids)
    await remove(two, ids)
    const admin = await one.login('admin')
    const { body: { resource_providers: providers } } = await one.http(admin, 'GET', '/placement/resource_providers')
    for (const p of providers) assert.deepEqual((await one.http(admin, 'GET', `/placement/resource_providers/${p.uuid}/usages`)).body.usages, { DISK_GB: 0, MEMORY_MB: 0, VCPU: 0 }, p.name)
    await waitFor('the returned host to remove what it was told to', async () => (await store.read((tx) => tx.db.selectFrom('agentGuests').select('serverId').where('removed', '=', 0).execute())).length === 0 || undefined, 20_000)
  })
})

// The whole cloud on real database servers and a real broker, undisturbed and while one of them goes away.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { parseStoreUrl } from '#kit/store/store.ts'
import { testCloud, type TestCloud } from '../cloud.ts'
import { startMariadb } from '../servers/mariadb.ts'
import { startPostgres, type SqlServer } from '../servers/postgres.ts'
import { scratch } from '../servers/process.ts'
import { startRabbitmq, type RabbitmqServer } from '../servers/rabbitmq.ts'
import { census, cloudSuite, comesToRest, removeAll, tally } from './cloud-suite.ts'

/** Slow enough that builds are under way when something happens to the cloud. */
const slow = { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, delaysMs: { ensure: 150, remove: 50 } }

for (const [name, startSql] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) {
  describe(`a cloud on ${name}`, () => {
    const place = scratch(`cloud-${name.toLowerCase()}`)
    let sql: SqlServer, broker: RabbitmqServer
    before(async () => { [sql, broker] = await Promise.all([startSql(`${place.dir}/sql`), startRabbitmq(`${place.dir}/broker`)]) })
    after(async () => { await Promise.all([sql?.stop(), broker?.stop()]); place.remove() })

    describe('and the bus in its process', () => {
      let cloud: TestCloud
      before(async () => { cloud = await testCloud({ database: parseStoreUrl(await sql.database()) }) })
      after(() => cloud?.close())
      cloudSuite(() => cloud)
    })

    describe('and RabbitMQ', () => {
      let cloud: TestCloud, token: string
      before(async () => {
        cloud = await testCloud({ database: parseStoreUrl(await sql.database()), bus: { transport: 'rabbitmq', url: broker.url }, fake: slow })
        token = await cloud.login()
      })
      after(() => cloud?.close())
      const boots = (n: number): Promise<string[]> => Promise.all(Array.from({ length: n }, () => cloud.boot(token)))
      const allActive = async (ids: string[]): Promise<void> => {
        const servers = await Promise.all(ids.map((id) => cloud.settled(token, id, 'ACTIVE', 'ERROR')))
        assert.deepEqual(servers.filter((s) => s.status !== 'ACTIVE').map((s) => s.fault), [])
      }
      /** Sagas were begun, and none has ended. */
      const underWay = (n: number): Promise<unknown> => waitFor('agents to be at work', async () => {
        const { n: spawning } = await cloud.store.read((tx) => tx.db.selectFrom('computeServers').select((eb) => eb.fn.countAll().as('n')).where('taskState', '=', 'spawning').executeTakeFirstOrThrow())
        return Number(spawning) >= n || undefined
      }, 20_000, 5)

      cloudSuite(() => cloud)

      test('a control plane that dies in the middle of builds and deletes finishes them at once in its next life', async () => {
        const empty = await census(cloud, token)
        const doomed = await boots(3)
        await allActive(doomed)
        const ids = await boots(5)
        await underWay(3)
        for (const id of doomed) assert.equal((await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
        // Leases last half a minute; a next life at the same place does not wait for their end.
        cloud = await cloud.crash()
        const owners = await cloud.store.read((tx) => tx.db.selectFrom('kitSagas').select('owner').where('state', 'in', ['running', 'aborting']).execute())
        assert.deepEqual(owners.filter((s) => s.owner !== cloud.runner.owner), [], 'somebody waits for a lease to end')
        token = await cloud.login()
        await allActive(ids)
        await Promise.all(doomed.map((id) => cloud.gone(token, id)))
        await removeAll(cloud, token, ids)
        await comesToRest(cloud, token, empty)
      })

      for (const hard of [false, true]) {
        test(`RabbitMQ ${hard ? 'killed' : 'restarted'} in the middle of creates loses nothing`, async () => {
          const empty = await census(cloud, token)
          const ids = await boots(8)
          await underWay(2)
          await broker.halt({ hard })
          // Only casts are needed to ask for a server: the outbox takes them.
          ids.push(...await boots(2))
          await broker.resume()
          await allActive(ids)
          await removeAll(cloud, token, ids)
          await comesToRest(cloud, token, empty)
        })
      }

      test(`without ${name} requests fail with 503; when it is back the cloud goes on by itself`, async () => {
        const empty = await census(cloud, token)
        const ids = await boots(6)
        await underWay(2)
        await sql.halt({ hard: true })
        const replies = await Promise.all([
          ...['/compute/v2.1/servers', '/network/v2.0/networks', '/image/v2/images', `/compute/v2.1/servers/${ids[0]}`].map((path) => cloud.http(token, 'GET', path)),
          cloud.http(token, 'POST', '/network/v2.0/networks', { network: {} }), cloud.http(token, 'DELETE', `/compute/v2.1/servers/${ids[0]}`),
        ])
        assert.deepEqual(tally(replies.map((r) => r.status)), { 503: replies.length }, JSON.stringify(replies.map((r) => r.body)))
        await sql.resume()
        await allActive(ids)
        assert.deepEqual((await cloud.runner.list()).filter((saga) => saga.state === 'stuck'), [])
        await removeAll(cloud, token, ids)
        await comesToRest(cloud, token, empty)
      })
    })
  })
}

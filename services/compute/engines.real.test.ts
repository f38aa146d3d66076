// The same tests on the SQL servers: what SQLite forgives they do not.
import { after, before, describe } from 'node:test'
import type { AccessWorld } from '#kit/testing/access.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { parseStoreUrl } from '#kit/store/store.ts'
import { startMariadb } from '#test/servers/mariadb.ts'
import { startPostgres, type SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { compute } from './service.ts'
import { nounsSuite } from './testing/nouns-suite.ts'
import { serversSuite } from './testing/servers-suite.ts'
import { startCompute, type ComputeTest } from './testing/start.ts'

const access = await compute.access()

for (const [name, start] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) {
  describe(`compute on ${name}`, () => {
    let server: SqlServer
    const place = scratch(`compute-${name.toLowerCase()}`)
    before(async () => { server = await start(place.dir) })
    after(async () => { await server.stop(); place.remove() })
    const fresh = async (): Promise<ComputeTest> => startCompute(parseStoreUrl(await server.database()))

    describe('servers', () => serversSuite(fresh))
    describe('other nouns', () => nounsSuite(fresh))
    describe('access', () => {
      let api: ComputeTest, world: AccessWorld
      before(async () => { api = await fresh(); world = worldOf(api, { userId: () => 'u' }) })
      after(() => api.close())
      runAccess(compute.http, access, () => ({ api, world }))
    })
  })
}

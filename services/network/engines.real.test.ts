// The suite on real database servers.
import { after } from 'node:test'
import { parseStoreUrl } from '#kit/store/store.ts'
import { startMariadb } from '#test/servers/mariadb.ts'
import { startPostgres, type SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { onEngines } from '#test/on-engines.ts'
import { networkSuite } from './testing/suite.ts'

for (const [name, start] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) {
  const { dir, remove } = scratch(`network-${name.toLowerCase()}`)
  let server: Promise<SqlServer> | undefined
  networkSuite(name, async () => parseStoreUrl(await (await (server ??= start(`${dir}/server`))).database()))
  after(async () => { await (await server)?.stop(); remove() })
}

// And what its nouns promise on SQLite.
const nouns = ['networks/networks', 'subnets/subnets', 'ports/ports', 'routers/routers', 'security-groups/groups', 'internal/internal']
onEngines('network', nouns.map((name) => import.meta.resolve(`./${name}.test.ts`)))

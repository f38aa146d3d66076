// The outbox on the database servers: the bus' suite once more, where transactions really run side by side.
import { after } from 'node:test'
import { parseStoreUrl } from '#kit/store/store.ts'
import { startMariadb } from '#test/servers/mariadb.ts'
import { startPostgres, type SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { openBus } from './bus.ts'
import { busSuite } from './suite.ts'

const { dir, remove } = scratch('bus-databases')
const started: SqlServer[] = []
after(async () => { await Promise.all(started.map((server) => server.stop())); remove() })

for (const [name, start] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) {
  busSuite(`local, outbox in ${name}`, async () => {
    const server = await start(`${dir}/${name}`)
    started.push(server)
    return { open: (options) => openBus({ transport: 'local', ...options }), reaches: false, database: async () => parseStoreUrl(await server.database()) }
  })
}

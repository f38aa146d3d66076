// Runs test files once more on the database servers: what SQLite forgives they do not.
import { after, before, describe } from 'node:test'
import { parseStoreUrl } from '#kit/store/store.ts'
import { testsLiveIn } from '#kit/store/fresh.testing.ts'
import { startMariadb } from './servers/mariadb.ts'
import { startPostgres, type SqlServer } from './servers/postgres.ts'
import { scratch } from './servers/process.ts'

export const sqlServers = [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const

/** `files`: URLs of files whose tests take their stores from kit/store/fresh.testing.ts. */
export function onEngines(what: string, files: string[]): void {
  for (const [name, start] of sqlServers) {
    describe(`${what} on ${name}`, async () => {
      const place = scratch(`engine-${name.toLowerCase()}`)
      let server: SqlServer
      before(async () => {
        server = await start(place.dir)
        testsLiveIn(async () => parseStoreUrl(await server.database()))
      })
      // A file's tests are declared when it is loaded: under another address each time.
      for (const file of files) await import(`${file}?${name}`)
      // Declared after theirs, run after theirs.
      after(async () => { testsLiveIn(undefined); await server?.stop(); place.remove() })
    })
  }
}

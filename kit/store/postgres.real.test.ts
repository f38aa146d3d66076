import { startPostgres } from '#test/servers/postgres.ts'
import { serverSuite } from './server-faults.ts'

serverSuite('PostgreSQL', startPostgres)

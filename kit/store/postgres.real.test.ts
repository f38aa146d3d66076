import { startPostgres } from '#test/servers/postgres.ts'
import { serverSuite } from './server-suite.testing.ts'

serverSuite('PostgreSQL', startPostgres)

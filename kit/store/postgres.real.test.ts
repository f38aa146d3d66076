import { startPostgres } from '#test/servers/postgres.ts'
import { serverSuite } from './server-suite.ts'

serverSuite('PostgreSQL', startPostgres)

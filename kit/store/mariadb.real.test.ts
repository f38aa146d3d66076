import { startMariadb } from '#test/servers/mariadb.ts'
import { serverSuite } from './server-suite.testing.ts'

serverSuite('MariaDB', startMariadb)

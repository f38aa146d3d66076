import { startMariadb } from '#test/servers/mariadb.ts'
import { serverSuite } from './server-suite.ts'

serverSuite('MariaDB', startMariadb)

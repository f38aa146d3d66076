import { startMariadb } from '#test/servers/mariadb.ts'
import { serverSuite } from './server-faults.ts'

serverSuite('MariaDB', startMariadb)

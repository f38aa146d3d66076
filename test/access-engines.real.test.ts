// Every operation of every service, as every kind of user, on the SQL servers: no statement that only SQLite understands is left.
import { onEngines } from './on-engines.ts'

onEngines('access', [import.meta.resolve('./access.test.ts')])

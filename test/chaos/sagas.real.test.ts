// As sagas.test.ts, at every point there is: minutes instead of seconds. No root, no servers.
import { contractOfBuild, contractOfDelete } from './saga-cases.ts'

contractOfDelete('server.delete', {})
contractOfBuild('server.build, with another host to try', 2, { maxPairs: 100 })
contractOfBuild('server.build, on the only host', 1, { maxPairs: 100 })

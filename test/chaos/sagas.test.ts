// The saga contract over "create server" and "delete server" on a whole cloud with fake drivers: whatever fails, and wherever the process dies.
// A look at every few points; sagas.real.test.ts goes through all of them.
import { contractOfBuild, contractOfDelete } from './saga-cases.ts'

const some = { maxPoints: 6, maxPairs: 6 }
contractOfDelete('server.delete', some)
contractOfBuild('server.build, with another host to try', 2, some)
contractOfBuild('server.build, on the only host', 1, some)

import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { runQueries } from '#kit/testing/run-queries.ts'
import { network } from './service.ts'
import { startNetwork, type TestNetwork } from './testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const cases = await network.access(), started = () => ({ api, world: worldOf(api, { userId: () => 'user' }) })
runAccess(network.http, cases, started)
runQueries(network.http, cases, {
  fixed: { listVersions: 'a document', listExtensions: 'a document', listAgents: 'agents report, nobody makes them', listAvailabilityZones: 'those of the agents', listServiceProviders: 'a document' },
}, started)

import { after, before } from 'node:test'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { runQueries } from '#kit/testing/run-queries.ts'
import { placementDeps } from './deps.ts'
import { placement } from './service.ts'

let api: TestApi
before(async () => { api = await startApi({ services: [{ module: placement, deps: ({ store }) => placementDeps(store.as()) }] }) })
after(() => api.close())
const cases = await placement.access(), started = () => ({ api, world: worldOf(api, { userId: () => 'user' }) })
runAccess(placement.http, cases, started)
runQueries(placement.http, cases, {
  filledBy: { listAllocationCandidates: 'createInventory' },
  fixed: { listInventories: 'set as a whole', listProviderAggregates: 'set as a whole', listProviderTraits: 'set as a whole', listUsages: 'a sum for each resource class' },
}, started)

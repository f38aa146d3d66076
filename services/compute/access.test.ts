import { after, before } from 'node:test'
import type { AccessWorld } from '#kit/testing/access.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { runQueries } from '#kit/testing/run-queries.ts'
import { compute } from './service.ts'
import { fillers } from './testing/queries.ts'
import { startCompute, type ComputeTest } from './testing/start.ts'

let api: ComputeTest, world: AccessWorld
before(async () => { api = await startCompute(); world = worldOf(api, { userId: () => 'u' }) })
after(() => api.close())

const cases = await compute.access()
runAccess(compute.http, cases, () => ({ api, world }))
// What it asks of image and network counts as well.
runQueries(compute.http, cases, fillers(() => api), () => ({ api: { call: api.call, store: { get queries() { return api.store.queries + api.asked() } } }, world }))

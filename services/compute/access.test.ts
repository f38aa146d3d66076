import { after, before } from 'node:test'
import type { AccessWorld } from '#kit/testing/access.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { compute } from './service.ts'
import { startCompute, type ComputeTest } from './testing/start.ts'

let api: ComputeTest, world: AccessWorld
before(async () => { api = await startCompute(); world = worldOf(api, { userId: () => 'u' }) })
after(() => api.close())

runAccess(compute.http, await compute.access(), () => ({ api, world }))

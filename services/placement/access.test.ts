import { after, before } from 'node:test'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { placementDeps } from './deps.ts'
import { placement } from './service.ts'

let api: TestApi
before(async () => { api = await startApi({ services: [{ module: placement, deps: ({ store }) => placementDeps(store.as()) }] }) })
after(() => api.close())
runAccess(placement.http, await placement.access(), () => ({ api, world: worldOf(api, { userId: () => 'user' }) }))

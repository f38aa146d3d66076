import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { network } from './service.ts'
import { startNetwork, type TestNetwork } from './testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
runAccess(network.http, await network.access(), () => ({ api, world: worldOf(api, { userId: () => 'user' }) }))

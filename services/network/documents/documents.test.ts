import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)

test('clients that clean up ask whether there is anybody for VPN: nobody, but for routers', async () => {
  const of = async (query: Record<string, unknown>): Promise<unknown> => (await me.ok('listServiceProviders', { query })).service_providers
  assert.deepEqual(await of({}), [{ service_type: 'L3_ROUTER_NAT', name: 'single_node', default: false }])
  assert.deepEqual(await of({ service_type: 'VPN' }), [])
  assert.deepEqual(await of({ service_type: 'L3_ROUTER_NAT', fields: 'name' }), [{ name: 'single_node' }])
  assert.equal((await me.ok('showExtension', { params: { alias: 'service-type' } })).extension.alias, 'service-type')
})

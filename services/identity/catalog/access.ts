import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'

export const freshRegion = async (w: AccessWorld) =>
  ({ params: { region_id: String((await w.call('admin', 'identity', 'createRegion', { body: { region: { id: w.unique('region') } } })).body.region.id) } })
export const freshService = async (w: AccessWorld) =>
  ({ params: { service_id: String((await w.call('admin', 'identity', 'createService', { body: { service: { type: w.unique('type') } } })).body.service.id) } })
const endpointBody = async (w: AccessWorld) => ({ body: { endpoint: { interface: 'public', url: 'http://127.0.0.1/', service_id: (await freshService(w)).params.service_id } } })
export const freshEndpoint = async (w: AccessWorld) =>
  ({ params: { endpoint_id: String((await w.call('admin', 'identity', 'createEndpoint', await endpointBody(w))).body.endpoint.id) } })

export const access: AccessCase[] = [
  { operation: 'listRegions', expect: verdicts.authenticated() },
  { operation: 'showRegion', request: freshRegion, expect: verdicts.authenticated() },
  { operation: 'createRegion', request: (w) => ({ body: { region: { id: w.unique('region') } } }), expect: verdicts.admin(201) },
  { operation: 'createRegionWithId', request: (w) => ({ params: { region_id: w.unique('region') }, body: { region: {} } }), expect: verdicts.admin(201) },
  { operation: 'updateRegion', request: async (w) => ({ ...await freshRegion(w), body: { region: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteRegion', request: freshRegion, expect: verdicts.admin(204) },
  { operation: 'listServices', expect: verdicts.systemReader() },
  { operation: 'showService', request: freshService, expect: verdicts.systemReader() },
  { operation: 'createService', request: (w) => ({ body: { service: { type: w.unique('type') } } }), expect: verdicts.admin(201) },
  { operation: 'updateService', request: async (w) => ({ ...await freshService(w), body: { service: { name: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteService', request: freshService, expect: verdicts.admin(204) },
  { operation: 'listEndpoints', expect: verdicts.systemReader() },
  { operation: 'showEndpoint', request: freshEndpoint, expect: verdicts.systemReader() },
  { operation: 'createEndpoint', request: endpointBody, expect: verdicts.admin(201) },
  { operation: 'updateEndpoint', request: async (w) => ({ ...await freshEndpoint(w), body: { endpoint: { url: 'http://127.0.0.1/x' } } }), expect: verdicts.admin() },
  { operation: 'deleteEndpoint', request: freshEndpoint, expect: verdicts.admin(204) },
]

import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { freshEndpoint, freshRegion, freshService } from '../catalog/access.ts'
import { freshProject } from '../projects/access.ts'
import { verdicts } from '../testing/verdicts.ts'

const freshPolicy = async (w: AccessWorld) =>
  ({ params: { policy_id: String((await w.call('admin', 'identity', 'createPolicy', { body: { policy: { type: 'text/plain', blob: '{}' } } })).body.policy.id) } })
const freshGroup = async (w: AccessWorld) => {
  const body = { endpoint_group: { name: w.unique('group'), filters: { interface: 'public' } } }
  return { params: { endpoint_group_id: String((await w.call('admin', 'identity', 'createEndpointGroup', { body })).body.endpoint_group.id) } }
}
const aProject = async (w: AccessWorld) => ({ params: { project_id: await freshProject(w) } })

type Made = (w: AccessWorld) => Promise<{ params: Record<string, string> }>
const together = (...made: Made[]): Made =>
  async (w) => ({ params: Object.assign({}, ...(await Promise.all(made.map((m) => m(w)))).map((m) => m.params)) as Record<string, string> })
const association = (noun: string, shown: 200 | 204, ...made: Made[]): AccessCase[] => {
  const parts = together(...made)
  const joined: Made = async (w) => { const call = await parts(w); await w.call('admin', 'identity', `create${noun}`, call); return call }
  return [
    { operation: `check${noun}`, request: joined, expect: verdicts.systemReader(shown) },
    { operation: `create${noun}`, request: parts, expect: verdicts.admin(204) },
    { operation: `delete${noun}`, request: joined, expect: verdicts.admin(204) },
  ]
}

export const access: AccessCase[] = [
  { operation: 'listPolicies', expect: verdicts.systemReader() },
  { operation: 'showPolicy', request: freshPolicy, expect: verdicts.systemReader() },
  { operation: 'createPolicy', request: () => ({ body: { policy: { type: 'text/plain', blob: '{}' } } }), expect: verdicts.admin(201) },
  { operation: 'updatePolicy', request: async (w) => ({ ...await freshPolicy(w), body: { policy: { blob: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deletePolicy', request: freshPolicy, expect: verdicts.admin(204) },
  { operation: 'listEndpointsForPolicy', request: freshPolicy, expect: verdicts.systemReader() },
  {
    operation: 'showPolicyForEndpoint', expect: verdicts.systemReader(),
    request: async (w) => { const parts = await together(freshPolicy, freshEndpoint)(w); await w.call('admin', 'identity', 'createPolicyForEndpoint', parts); return parts },
  },
  ...association('PolicyForEndpoint', 204, freshPolicy, freshEndpoint),
  ...association('PolicyForService', 204, freshPolicy, freshService),
  ...association('PolicyForServiceInRegion', 204, freshPolicy, freshService, freshRegion),
  { operation: 'listEndpointGroups', expect: verdicts.systemReader() },
  { operation: 'showEndpointGroup', request: freshGroup, expect: verdicts.systemReader() },
  { operation: 'createEndpointGroup', request: (w) => ({ body: { endpoint_group: { name: w.unique('group'), filters: { interface: 'admin' } } } }), expect: verdicts.admin(201) },
  { operation: 'updateEndpointGroup', request: async (w) => ({ ...await freshGroup(w), body: { endpoint_group: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteEndpointGroup', request: freshGroup, expect: verdicts.admin(204) },
  { operation: 'listEndpointsInGroup', request: freshGroup, expect: verdicts.systemReader() },
  { operation: 'listProjectsOfEndpointGroup', request: freshGroup, expect: verdicts.systemReader() },
  { operation: 'listProjectsOfEndpoint', request: freshEndpoint, expect: verdicts.systemReader() },
  { operation: 'listEndpointsOfProject', request: aProject, expect: verdicts.systemReader() },
  { operation: 'listEndpointGroupsOfProject', request: aProject, expect: verdicts.systemReader() },
  ...association('EndpointOfProject', 204, freshEndpoint, aProject),
  ...association('EndpointGroupOfProject', 200, freshGroup, aProject),
]

import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { anExternalNetwork, aRouter, aSubnet } from '../testing/fixtures.ts'

export const access: AccessCase[] = [
  { operation: 'listRouters', expect: verdicts.listing() },
  { operation: 'showRouter', request: async (w) => ({ params: { router_id: (await aRouter(w)).id } }), expect: verdicts.reader() },
  { operation: 'createRouter', request: (w) => ({ body: { router: { name: w.unique('router') } } }), expect: verdicts.creating(201) },
  { operation: 'createRouter', about: 'with a way out', request: async (w) => ({ body: { router: { external_gateway_info: { network_id: (await anExternalNetwork(w)).id } } } }), expect: verdicts.creating(201) },
  { operation: 'createRouter', about: 'choosing its source NAT', request: async (w) => ({ body: { router: { external_gateway_info: { network_id: (await anExternalNetwork(w)).id, enable_snat: false } } } }), expect: verdicts.admin(201) },
  { operation: 'updateRouter', request: async (w) => ({ params: { router_id: (await aRouter(w)).id }, body: { router: { name: 'x' } } }), expect: verdicts.member(200) },
  { operation: 'addRouterInterface', request: async (w) => ({ params: { router_id: (await aRouter(w)).id }, body: { subnet_id: (await aSubnet(w)).id } }), expect: verdicts.member(200) },
  {
    operation: 'removeRouterInterface', expect: verdicts.member(200),
    async request(w) {
      const router = await aRouter(w), subnet = await aSubnet(w)
      await w.call('member', 'network', 'addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
      return { params: { router_id: router.id }, body: { subnet_id: subnet.id } }
    },
  },
  { operation: 'addExtraRoutes', request: async (w) => ({ params: { router_id: (await aRouter(w)).id }, body: { router: { routes: [] } } }), expect: verdicts.member(200) },
  { operation: 'removeExtraRoutes', request: async (w) => ({ params: { router_id: (await aRouter(w)).id }, body: { router: { routes: [] } } }), expect: verdicts.member(200) },
  { operation: 'deleteRouter', request: async (w) => ({ params: { router_id: (await aRouter(w)).id } }), expect: verdicts.member(204) },
]

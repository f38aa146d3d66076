// What carries out which service: routers, by one driver. https://docs.openstack.org/api-ref/network/v2/#service-providers
import { operation } from '../deps.ts'
import { anyReader } from '../policy.ts'
import { narrowed } from '../resource/narrowed.ts'

const providers = [{ service_type: 'L3_ROUTER_NAT', name: 'single_node', default: false }]

export const listServiceProviders = operation({
  name: 'listServiceProviders', method: 'GET', path: '/service-providers', summary: 'List what carries out services such as routers.', access: anyReader,
  handle: async (_ctx, { query }) => ({ service_providers: narrowed(providers, query as Record<string, unknown>) }),
})

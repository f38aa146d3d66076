// The version documents: https://docs.openstack.org/api-ref/network/v2/#api-versions
import { anyone } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'

const collections: [name: string, collection: string][] = [['network', 'networks'], ['subnet', 'subnets'], ['port', 'ports'], ['router', 'routers'], ['floatingip', 'floatingips'], ['security-group', 'security-groups'],
  ['security-group-rule', 'security-group-rules'], ['quota', 'quotas'], ['agent', 'agents'], ['availability_zone', 'availability_zones'], ['service_provider', 'service-providers'], ['extension', 'extensions']]

export const listVersions = operation({
  name: 'listVersions', method: 'GET', path: '', atRoot: true, summary: 'The versions of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${urls.root}/v2.0/` }] }] }),
})
export const showVersion = operation({
  name: 'showVersion', method: 'GET', path: '', summary: 'What there is in this version of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ resources: collections.map(([name, collection]) => ({ name, collection, links: [{ rel: 'self', href: `${urls.api}/${collection}` }] })) }),
})

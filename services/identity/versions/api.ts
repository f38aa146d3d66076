// Version documents: where every client's discovery begins. https://docs.openstack.org/api-ref/identity/v3/#api-versions
import { Reply, type Urls } from '#kit/http/operation.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'

const v3 = (urls: Urls): object => ({
  id: 'v3.14', status: 'stable', updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${urls.root}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
})

export const listVersions = operation({
  name: 'listVersions', method: 'GET', path: '/', atRoot: true, summary: 'List the API\'s versions.', status: 300, access: anyone,
  handle: async (_ctx, { urls }) => new Reply({ headers: { location: `${urls.root}/v3/`, vary: 'X-Auth-Token' }, body: { versions: { values: [v3(urls)] } } }),
})

export const showVersion = operation({
  name: 'showVersion', method: 'GET', path: '/v3', atRoot: true, summary: 'Show version 3.', access: anyone,
  handle: async (_ctx, { urls }) => ({ version: v3(urls) }),
})

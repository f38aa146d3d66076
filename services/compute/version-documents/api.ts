// What versions there are: asked by every client before anything else.
import { anyone } from '#kit/policy/rules.ts'
import type { Urls } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'
import { maxVersion, minVersion } from '../versions.ts'

const document = (urls: Urls): object => ({
  id: 'v2.1', status: 'CURRENT', version: maxVersion, min_version: minVersion, updated: '2013-07-23T11:33:21Z',
  links: [{ rel: 'self', href: `${urls.root}/v2.1/` }],
})

export const listVersions = operation({
  name: 'listVersions', method: 'GET', path: '', atRoot: true, summary: 'List the versions of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ versions: [document(urls)] }),
})

export const showVersion = operation({
  name: 'showVersion', method: 'GET', path: '', summary: 'Show this version of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ version: { ...document(urls),
    links: [{ rel: 'self', href: `${urls.root}/v2.1/` }, { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/api-ref/compute/' }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }] } }),
})

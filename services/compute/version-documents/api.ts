// What versions there are: asked by every client before anything else.
import { anyone } from '#kit/policy/rules.ts'
import type { Urls } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'
import { maxVersion, minVersion } from '../versions.ts'

const document = (urls: Urls): object => ({
  id: 'v2.1', status: 'CURRENT', version: maxVersion, min_version: minVersion, updated: '2013-07-23T11:33:21Z',
  links: [{ rel: 'self', href: `${urls.root}/v2.1/` }],
})
/** The same API under its oldest path: nova goes on serving and listing it, and clients' tests look for it. */
const oldest = (urls: Urls): object => ({ id: 'v2.0', status: 'SUPPORTED', version: '', min_version: '', updated: '2011-01-21T11:33:21Z', links: [{ rel: 'self', href: `${urls.root}/v2/` }] })

export const listVersions = operation({
  name: 'listVersions', method: 'GET', path: '', atRoot: true, summary: 'List the versions of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ versions: [oldest(urls), document(urls)] }),
})

export const showVersion = operation({
  name: 'showVersion', method: 'GET', path: '', summary: 'Show this version of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ version: { ...(urls.path.startsWith('/v2.1') ? document(urls) : oldest(urls)),
    links: [{ rel: 'self', href: `${urls.root}/${urls.path.startsWith('/v2.1') ? 'v2.1' : 'v2'}/` }, { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/api-ref/compute/' }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }] } }),
})

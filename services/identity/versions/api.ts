// Version documents: where every client's discovery begins. https://docs.openstack.org/api-ref/identity/v3/#api-versions
import { Reply, type Operation, type Urls } from '#kit/http/operation.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { jsonHome, jsonHomeType, prefersJsonHome } from './json-home.ts'

/** What clients may call the JSON they send. */
export const mediaType = 'application/vnd.openstack.identity-v3+json'

const v3 = (urls: Urls): object => ({
  id: 'v3.14', status: 'stable', updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${urls.root}/v3/` }],
  'media-types': [{ base: 'application/json', type: mediaType }],
})

const home = (paths: Iterable<string>, prefix: string): Reply =>
  new Reply({ status: 200, headers: { 'content-type': jsonHomeType, vary: 'Accept, X-Auth-Token' }, body: jsonHome(paths, prefix) })

/** `paths` are those of all operations, asked for late: these are two of them. */
export const versionsOf = (paths: () => Iterable<string>): Operation<Deps>[] => [
  operation({
    name: 'listVersions', method: 'GET', path: '/', atRoot: true, summary: 'List the API\'s versions; the JSON home document for those who accept nothing better.',
    status: 300, access: anyone,
    async handle(_ctx, { urls, headers }) {
      if (prefersJsonHome(headers.accept as string | undefined)) return home(paths(), '/v3')
      return new Reply({ headers: { location: `${urls.root}/v3/`, vary: 'Accept, X-Auth-Token' }, body: { versions: { values: [v3(urls)] } } })
    },
  }),
  operation({
    name: 'showVersion', method: 'GET', path: '/v3', atRoot: true, summary: 'Show version 3; the JSON home document for those who accept nothing better.', access: anyone,
    async handle(_ctx, { urls, headers }) {
      if (prefersJsonHome(headers.accept as string | undefined)) return home(paths(), '')
      return new Reply({ headers: { vary: 'Accept, X-Auth-Token' }, body: { version: v3(urls) } })
    },
  }),
]

// https://docs.openstack.org/api-ref/image/versions/
import { anyone } from '#kit/policy/rules.ts'
import { Reply } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'

/** Minor versions are additions; only those whose additions are built are named. */
const minors = ['v2.17', 'v2.16', 'v2.15', 'v2.14', 'v2.13', 'v2.12', 'v2.11', 'v2.10', 'v2.9', 'v2.8', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3', 'v2.2', 'v2.1', 'v2.0']
const versions = (root: string): object => ({ versions: minors.map((id, i) => ({ id, status: i === 0 ? 'CURRENT' : 'SUPPORTED', links: [{ rel: 'self', href: `${root}/v2/` }] })) })

export const rootVersions = operation({
  name: 'listVersions', method: 'GET', path: '', atRoot: true, summary: 'The versions of the API (300, as glance answers).', access: anyone,
  handle: async (_ctx, { urls }) => new Reply({ status: 300, body: versions(urls.root) }),
})
export const plainVersions = operation({
  name: 'showVersions', method: 'GET', path: '/versions', atRoot: true, summary: 'The versions of the API.', access: anyone,
  handle: async (_ctx, { urls }) => versions(urls.root),
})

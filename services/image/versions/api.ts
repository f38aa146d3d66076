// https://docs.openstack.org/api-ref/image/versions/
import { anyone } from '#kit/policy/rules.ts'
import { Reply, type Operation } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'

/** Minor versions are additions. Each is named from the operation on that it added; those that added none we had from the start. */
const minors: [id: string, added?: string][] = [
  ['v2.0'], ['v2.1'], ['v2.2', 'createMetadefNamespace'], ['v2.3', 'deactivateImage'], ['v2.4'], ['v2.5'],
  ['v2.6', 'importImage'], ['v2.7'], ['v2.8', 'listStores'], ['v2.9'], ['v2.10'],
  ['v2.11'], ['v2.12', 'listImageTasks'], ['v2.13', 'showUsage'], ['v2.14', 'showImageCache'], ['v2.15', 'listStoreDetails'],
  ['v2.16'], ['v2.17', 'addImageLocation'], ['v2.18', 'pruneImageCache'],
]

/** The versions up to the first whose addition is not among these operations, the newest first. */
export function builtVersions(operations: readonly Pick<Operation, 'name'>[]): string[] {
  const built = new Set(operations.map((op) => op.name))
  const missing = minors.findIndex(([, added]) => added !== undefined && !built.has(added))
  return minors.slice(0, missing < 0 ? minors.length : missing).map(([id]) => id).reverse()
}

/** The version documents over the service's operations, asked for when they are all known. */
export const versionOperations = (operations: () => readonly Operation[]): Operation[] => {
  const versions = (root: string): object => ({
    versions: builtVersions(operations()).map((id, i) => ({ id, status: i === 0 ? 'CURRENT' : 'SUPPORTED', links: [{ rel: 'self', href: `${root}/v2/` }] })),
  })
  return [
    operation({
      name: 'listVersions', method: 'GET', path: '', atRoot: true, summary: 'The versions of the API (300, as glance answers).', access: anyone,
      handle: async (_ctx, { urls }) => new Reply({ status: 300, body: versions(urls.root) }),
    }),
    operation({
      name: 'showVersions', method: 'GET', path: '/versions', atRoot: true, summary: 'The versions of the API.', access: anyone,
      handle: async (_ctx, { urls }) => versions(urls.root),
    }),
  ]
}

// https://docs.openstack.org/api-ref/image/v2/#cache-manage: the copies of the host that answers.
import { badRequest, notFound } from '#base/errors.ts'
import { Reply } from '#kit/http/operation.ts'
import { admin } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { imageTarget } from '../images/target.ts'
import { cleanCache, dropCached, fillCache, makeRoom } from './cache.ts'
import * as rows from './store.ts'

const cacheOf = ({ cache }: Pick<Deps, 'cache'>): NonNullable<Deps['cache']> => {
  if (!cache) throw notFound('Caching via API is not supported at this site.')
  return cache
}
/** Seconds since 1970, as glance tells these instants. */
const epoch = (at: string): number => Date.parse(at) / 1000

export const showCache = operation({
  name: 'showImageCache', method: 'GET', path: '/cache', summary: 'List cached images, and those that are asked for.', access: admin,
  faults: ['notFound'],
  async handle(_ctx, _input, deps) {
    const { host } = cacheOf(deps)
    const all = await deps.store.read((tx) => rows.list(tx, host))
    const cached = all.filter((row) => row.location !== null)
    return {
      cached_images: cached.map((row) => ({
        image_id: row.imageId, hits: Number(row.hits), last_accessed: epoch(row.accessedAt), last_modified: epoch(row.modifiedAt), size: Number(row.size),
      })),
      queued_images: all.filter((row) => row.location === null).map((row) => row.imageId),
    }
  },
})

export const queueForCache = operation({
  name: 'queueImageForCache', method: 'PUT', path: '/cache/{image_id}', summary: 'Have an image cached.', status: 202, access: admin, target: imageTarget,
  faults: ['badRequest'],
  async handle(ctx, { target }, deps) {
    const { host } = cacheOf(deps)
    if (target.status !== 'active') throw badRequest('Only images with status active can be targeted for queueing')
    await deps.store.tx((tx) => rows.queue(tx, host, target.id))
    void fillCache(ctx, deps)
  },
})

export const removeFromCache = operation({
  name: 'removeImageFromCache', method: 'DELETE', path: '/cache/{image_id}', summary: 'Let go of a cached image, or of the wish for it.',
  status: 204, access: admin, target: imageTarget,
  async handle(ctx, { target }, deps) {
    const { host } = cacheOf(deps), row = await deps.store.read((tx) => rows.find(tx, host, target.id))
    if (row) await dropCached(ctx, deps, [row])
  },
})

export const clearCache = operation({
  name: 'clearImageCache', method: 'DELETE', path: '/cache',
  summary: 'Empty the cache, the list of what is asked for, or (by x-image-cache-clear-target) one of them.', status: 204, access: admin,
  faults: ['badRequest'],
  async handle(ctx, { headers }, deps) {
    const { host } = cacheOf(deps), what = String(headers['x-image-cache-clear-target'] ?? '').toLowerCase()
    if (!['', 'cache', 'queue'].includes(what)) throw badRequest("If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.")
    const all = await deps.store.read((tx) => rows.list(tx, host))
    await dropCached(ctx, deps, all.filter((row) => what === '' || (row.location === null) === (what === 'queue')))
    return new Reply({ status: 204 })
  },
})

export const cleanImageCache = operation({
  name: 'cleanImageCache', method: 'POST', path: '/cache/clean',
  summary: 'Remove what is in the cache and of no use: bytes nobody refers to, copies whose bytes are lost.', status: 200, access: admin,
  async handle(ctx, _input, deps) {
    cacheOf(deps)
    await cleanCache(ctx, deps)
    return new Reply({ status: 200 })
  },
})

export const pruneImageCache = operation({
  name: 'pruneImageCache', method: 'POST', path: '/cache/prune', summary: 'Remove the copies used longest ago until the cache is as small as it shall be.',
  status: 200, access: admin,
  async handle(ctx, _input, deps) {
    cacheOf(deps)
    const going = await makeRoom(ctx, deps, 0)
    return { total_files_pruned: going.length, total_bytes_pruned: going.reduce((total, row) => total + Number(row.size), 0) }
  },
})

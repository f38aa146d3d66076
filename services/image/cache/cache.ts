// This host's copies of images that are asked for often, or were asked to be kept near. Filled in the background, one after the other; the least used ones go when
// there is no room.
import type { Readable } from 'node:stream'
import type { BlobStore } from '#drivers/blob/contract.ts'
import { whileWanted } from '#base/chunks.ts'
import type { Context } from '#base/context.ts'
import { explain, isFault, notFound } from '#base/errors.ts'
import type { Deps } from '../deps.ts'
import * as images from '../images/store.ts'
import { dropBytes, openCopy, unusedAt } from '../stores/bytes.ts'
import type { CachedRow } from '../schema.ts'
import * as rows from './store.ts'

/** The bytes, if this host has them. */
export async function openCached(
  ctx: Context, { store, cache }: Pick<Deps, 'store' | 'cache'>, imageId: string, range?: { start: number, end: number },
): Promise<Readable | undefined> {
  const row = cache && await store.read((tx) => rows.find(tx, cache.host, imageId))
  if (!cache || row === undefined || row.location === null) return undefined
  try {
    const bytes = await cache.blobs.get(ctx, row.location, range)
    await store.tx((tx) => rows.hit(tx, cache.host, imageId))
    return bytes
  } catch (error) {
    // Somebody emptied the directory: the store has the bytes all the same.
    if (!isFault(error, 'notFound')) throw error
    await store.tx((tx) => rows.remove(tx, cache.host, imageId))
    return undefined
  }
}

/** Lets go of copies: rows first, then bytes that no other row names. */
export async function dropCached(ctx: Context, deps: Deps, copies: readonly CachedRow[]): Promise<void> {
  await deps.store.tx(async (tx) => { for (const { host, imageId } of copies) await rows.remove(tx, host, imageId) })
  for (const { location } of copies) if (location !== null) await dropBytes(ctx, deps, 'cache', location)
}

/** What the copies do not refer to, and copies whose bytes are not there any more, go. Safe to run at any time. */
export async function cleanCache(ctx: Context, deps: Deps): Promise<void> {
  const { cache, store } = deps
  if (!cache) return
  await cache.blobs.recover(ctx, unusedAt(deps, 'cache'))
  const there = new Set<string>()
  for (const { location } of await cache.blobs.list(ctx)) {
    there.add(location)
    await dropBytes(ctx, deps, 'cache', location)
  }
  // Asked after the list was made: a row that came since names bytes that came since.
  const lost = (await store.read((tx) => rows.list(tx, cache.host))).filter(({ location }) => location !== null && !there.has(location))
  for (const row of lost) if (!await isThere(ctx, cache.blobs, row.location!)) await dropCached(ctx, deps, [row])
}

const isThere = (ctx: Context, blobs: BlobStore, location: string): Promise<boolean> => blobs.get(ctx, location).then(
  (bytes) => { bytes.destroy(); return true },
  (error: unknown) => {
    if (!isFault(error, 'notFound')) throw error
    return false
  },
)

/** Makes room for so many bytes by dropping what was used longest ago; answers what went. */
export async function makeRoom(ctx: Context, deps: Deps, size: number): Promise<CachedRow[]> {
  const { cache, store } = deps
  if (!cache) return []
  const kept = (await store.read((tx) => rows.list(tx, cache.host))).filter((row) => row.location !== null).sort((a, b) => (a.accessedAt < b.accessedAt ? -1 : 1))
  let sum = size + kept.reduce((total, row) => total + Number(row.size), 0)
  const going: CachedRow[] = []
  for (const row of kept) {
    if (sum <= cache.maxBytes) break
    going.push(row)
    sum -= Number(row.size)
  }
  await dropCached(ctx, deps, going)
  return going
}

const filling = new WeakMap<object, Promise<void>>()

/** Brings in what is asked for on this host. Begun again while it runs, it goes through the list once more. */
export function fillCache(ctx: Context, deps: Deps): Promise<void> {
  const { cache } = deps
  if (!cache) return Promise.resolve()
  const before = filling.get(cache) ?? Promise.resolve()
  const next = before.then(() => fillOnce(ctx, deps))
    .catch((error: unknown) => ctx.log.error({ error: explain(error) }, 'the image cache was not filled'))
  filling.set(cache, next)
  return next
}

async function fillOnce(ctx: Context, deps: Deps): Promise<void> {
  const { store, cache } = deps
  if (!cache) return
  const { host, blobs } = cache
  for (const row of await store.read((tx) => rows.list(tx, host))) {
    if (row.location !== null) continue
    const image = await store.read((tx) => images.find(tx, row.imageId))
    const size = image?.size ?? 0
    if (image?.status !== 'active' || size > cache.maxBytes) {
      await store.tx((tx) => rows.remove(tx, host, row.imageId))
      continue
    }
    await makeRoom(ctx, deps, size)
    try {
      await whileWanted(undefined, await openCopy(ctx, deps, image.locations), (bytes) => blobs.put(ctx, bytes, {
        maxBytes: cache.maxBytes, unused: unusedAt(deps, 'cache'),
        keep: async ({ location, size }) => {
          // Thrown, so that the bytes go again: no row names them.
          if (!await store.tx((tx) => rows.fill(tx, host, row.imageId, location, size))) throw notFound('The image is deleted, or is asked for no more.')
        },
      }))
    } catch (error) {
      ctx.log.warn({ imageId: row.imageId, error: explain(error) }, 'an image was not cached')
      await store.tx((tx) => rows.remove(tx, host, row.imageId))
    }
  }
}

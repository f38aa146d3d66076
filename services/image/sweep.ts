// What dead processes left half-way, and what has lasted long enough: put right at the start and every now and then, on every control plane.
import type { Context } from '#base/context.ts'
import { after } from '#base/time.ts'
import { cleanCache, fillCache } from './cache/cache.ts'
import type { Deps } from './deps.ts'
import * as images from './images/store.ts'
import { dropParts } from './stage/staged.ts'
import { idleSince, takeParts } from './stage/store.ts'
import { dropBytes, unusedAt } from './stores/bytes.ts'
import type { Place } from './stores/store.ts'
import * as tasks from './tasks/store.ts'

/** Safe to run anywhere at any time: what lives shows it. */
export async function sweep(ctx: Context, deps: Deps): Promise<void> {
  const { store, stores, staging, config } = deps
  await store.tx(async (tx) => {
    await images.requeueUploads(tx)
    await tasks.removeExpired(tx)
  })
  for (const id of await store.read((tx) => idleSince(tx, after(-config.stageLifeMs)))) {
    const left = await store.tx(async (tx) => {
      const mine = await images.move(tx, id, { status: 'uploading', importTaskId: null, uploadId: null }, { ...images.noData, status: 'queued' })
      return mine ? takeParts(tx, id) : []
    })
    await dropParts(ctx, deps, left)
  }
  // Bytes that were put in place by a process that died before, or while, it wrote down whose they are.
  const places: [Place, typeof staging][] = [...stores.list.map(({ id, blobs }): [Place, typeof staging] => [{ store: id }, blobs]), ['staging', staging]]
  for (const [place, blobs] of places) await blobs.recover(ctx, unusedAt(deps, place))
  // What only passes through, or is a copy, goes as soon as no row names it: a process may die between taking the rows away and the bytes.
  for (const { location } of await staging.list(ctx)) await dropBytes(ctx, deps, 'staging', location)
  await cleanCache(ctx, deps)
  void fillCache(ctx, deps)
}

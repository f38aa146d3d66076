// At start: what a dead process left half-way is put right before anybody asks.
import type { Context } from '#base/context.ts'
import type { Deps } from './deps.ts'
import * as images from './images/store.ts'

/** Broken uploads are queued again; bytes that no image refers to are removed. */
export async function sweep(ctx: Context, { store, blobs }: Pick<Deps, 'store' | 'blobs'>): Promise<void> {
  await store.tx((tx) => images.requeueUploads(tx))
  for (const { location } of await blobs.list(ctx)) await blobs.remove(ctx, location, async () => !await store.read((tx) => images.isReferred(tx, location)))
}

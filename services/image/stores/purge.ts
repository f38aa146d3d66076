// Bytes whose rows are gone go in a saga of their own: begun in the transaction that takes the rows, so that they go whatever happens to this process, and whatever
// the store says at first.
import type { Context } from '#base/context.ts'
import { newId } from '#base/ids.ts'
import { saga } from '#kit/saga/saga.ts'
import type { Deps, ImageTx } from '../deps.ts'
import { dropBytes } from './bytes.ts'
import type { Place } from './store.ts'

/** The copies that go, each with where it lies. */
export interface PurgeInput { bytes: { place: Place, location: string }[] }

/** Removes bytes that no row names any more; `resourceId`s are the image's or `bytes:` and an id. */
export const purgeImage = saga<PurgeInput, Deps>('image.purge', async (flow, { bytes }, deps) => {
  flow.pivot()
  await flow.step('remove', { do: async (ctx) => { for (const { place, location } of bytes) await dropBytes(ctx, deps, place, location) } })
})

/** Removes copies' bytes soon after the commit. Their rows are removed in this transaction. */
export async function purgeCopies(tx: ImageTx, ctx: Context, { runner }: Pick<Deps, 'runner'>, copies: readonly { store: string, location: string }[]): Promise<void> {
  if (copies.length === 0) return
  const { actor, requestId, traceId } = ctx
  const bytes = copies.map(({ store, location }) => ({ place: { store }, location }))
  await runner().start(tx, purgeImage, { resourceId: `bytes:${newId()}`, input: { bytes }, actor, requestId, traceId })
}

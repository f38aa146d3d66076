// What deletion leaves to do: an image's rows are gone at once, its bytes go in a saga of their own, which also stops an import that still works on it.
import type { Context } from '#base/context.ts'
import { saga } from '#kit/saga/saga.ts'
import type { Deps, ImageTx } from '../deps.ts'
import * as images from '../images/store.ts'
import { partsOf } from '../stage/store.ts'
import { dropBytes } from '../stores/bytes.ts'
import { copiesOf } from '../stores/store.ts'
import type { Place } from '../stores/store.ts'
import { resourceOf } from './saga.ts'

export interface PurgeInput { bytes: { place: Place, location: string }[] }

export const purgeImage = saga<PurgeInput, Deps>('image.purge', async (flow, { bytes }, deps) => {
  flow.pivot()
  await flow.step('remove', { do: async (ctx) => { for (const { place, location } of bytes) await dropBytes(ctx, deps, place, location) } })
})

/** Removes an image whole: its rows in this transaction, its bytes soon after the commit, whatever happens to this process. */
export async function removeImage(tx: ImageTx, ctx: Context, { runner }: Pick<Deps, 'runner'>, image: images.Image): Promise<void> {
  const bytes: PurgeInput['bytes'] = [
    ...(await copiesOf(tx, image.id)).map(({ store, location }) => ({ place: { store }, location })),
    ...(await partsOf(tx, image.id)).map(({ location }) => ({ place: 'staging' as const, location })),
    ...(await images.cachedOf(tx, image.id)).map((location) => ({ place: 'cache' as const, location })),
  ]
  await images.remove(tx, image.id)
  if (bytes.length === 0 && image.importTaskId === null) return
  const { actor, requestId, traceId } = ctx
  await runner().preempt(tx, purgeImage, { resourceId: resourceOf(image.id), input: { bytes }, actor, requestId, traceId })
}

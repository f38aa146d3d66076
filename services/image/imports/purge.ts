// What deletion leaves to do: an image's rows are gone at once, its bytes go in a saga of their own, which also stops an import that still works on it.
import type { Context } from '#base/context.ts'
import type { Deps, ImageTx } from '../deps.ts'
import * as images from '../images/store.ts'
import { partsOf } from '../stage/store.ts'
import { purgeImage, type PurgeInput } from '../stores/purge.ts'
import { copiesOf } from '../stores/store.ts'
import { resourceOf } from './saga.ts'

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

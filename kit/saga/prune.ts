// Removes journals nobody needs any more.
import type { Store, Tx } from '#kit/store/store.ts'
import type { SagaTables } from './schema.ts'
import { removeEnded, resourcesEndedBefore } from './store.ts'

/** Removes sagas that ended before `before` (an ISO instant) on resources that are gone. Answers how many. */
export async function prune(store: Store, before: string, isGone: (resourceId: string) => Promise<boolean>): Promise<number> {
  let removed = 0
  for (let last = ''; ;) {
    const resources = await store.read((tx) => resourcesEndedBefore(tx as Tx<SagaTables>, before, last, 500))
    if (resources.length === 0) return removed
    for (const id of resources) {
      last = id
      if (await isGone(id)) removed += await store.tx((tx) => removeEnded(tx as Tx<SagaTables>, id, before))
    }
  }
}

// What something costs the database, where a service may have work of its own meanwhile (an outbox that is looked through, leases).
import type { Store } from '#kit/store/store.ts'

/**
 * How many queries the work makes, which can be done again: the least of four times, for what others do meanwhile is counted too, and what is kept for the next time
 * is asked once.
 */
export async function queriesOf(store: Pick<Store, 'queries'>, work: () => Promise<unknown>): Promise<number> {
  let least = Infinity
  for (let i = 0; i < 4; i++) {
    const before = store.queries
    await work()
    least = Math.min(least, store.queries - before)
  }
  return least
}

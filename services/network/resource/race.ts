// Two writers wanted the same (an address, a MAC, a revision): whoever comes second tries the whole transaction again.
import { retry } from '#base/retry.ts'
import { conflict } from '#base/errors.ts'
import type { Deps, NetworkTx } from '../deps.ts'

export class LostRace extends Error {}
export const lostRace = (): Error => new LostRace('lost a race')

/** Runs `work` in a transaction, again after each lost race. */
export async function racing<T>({ store }: Pick<Deps, 'store'>, work: (tx: NetworkTx, attempt: number) => Promise<T>): Promise<T> {
  try {
    return await retry((attempt) => store.tx((tx) => work(tx, attempt)), { firstMs: 1, maxMs: 40, attempts: 80 }, (error) => error instanceof LostRace)
  } catch (error) {
    if (error instanceof LostRace) throw conflict('Too many changes at the same time, try again.', { type: 'Conflict', cause: error })
    throw error
  }
}

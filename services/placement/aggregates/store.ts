// Rows of who is in which aggregate. An aggregate is nothing but its id.
import { insert } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'

/** In order. */
export const ofProvider = async (tx: PlacementTx, providerId: string): Promise<string[]> =>
  (await tx.db.selectFrom('placementAggregates').select('aggregateId').where('providerId', '=', providerId).orderBy('aggregateId').execute()).map((r) => r.aggregateId)

/** For who holds the provider. */
export async function replace(tx: PlacementTx, providerId: string, wanted: string[]): Promise<void> {
  await tx.db.deleteFrom('placementAggregates').where('providerId', '=', providerId).execute()
  if (wanted.length > 0) await insert(tx, 'placementAggregates', wanted.map((aggregateId) => ({ aggregateId, providerId })))
}

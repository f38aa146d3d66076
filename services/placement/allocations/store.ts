// Rows of allocations and of the consumers they belong to.
import { inChunks } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'
import type { AllocationRow, ConsumerRow } from '../schema.ts'

/** What these consumers use, of any number of them. */
export async function ofConsumers(tx: PlacementTx, consumerIds: string[]): Promise<AllocationRow[]> {
  const rows: AllocationRow[] = []
  for (const ids of inChunks(consumerIds, 400)) {
    rows.push(...await tx.db.selectFrom('placementAllocations').selectAll()
      .where('consumerId', 'in', ids).orderBy('providerId').orderBy('resourceClass').execute())
  }
  return rows
}

/** With the generation of each provider. */
export const ofConsumer = (tx: PlacementTx, consumerId: string): Promise<(AllocationRow & { generation: number })[]> =>
  tx.db.selectFrom('placementAllocations as a').innerJoin('placementProviders as p', 'p.id', 'a.providerId').selectAll('a').select('p.generation')
    .where('a.consumerId', '=', consumerId).orderBy('a.providerId').orderBy('a.resourceClass').execute()

/** With the generation of each consumer, and when it was last written. */
export const ofProvider = (tx: PlacementTx, providerId: string): Promise<(AllocationRow & { generation: number, updatedAt: string })[]> =>
  tx.db.selectFrom('placementAllocations as a').innerJoin('placementConsumers as c', 'c.id', 'a.consumerId').selectAll('a').select(['c.generation', 'c.updatedAt'])
    .where('a.providerId', '=', providerId).orderBy('a.consumerId').orderBy('a.resourceClass').execute()

export const findConsumer = (tx: PlacementTx, id: string): Promise<ConsumerRow | undefined> =>
  tx.db.selectFrom('placementConsumers').selectAll().where('id', '=', id).executeTakeFirst()

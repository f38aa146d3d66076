// Where resource classes stand in other rows.
import { sql } from 'kysely'
import type { PlacementTx } from '../deps.ts'

/** Whether any provider has it. */
export const isInUse = async (tx: PlacementTx, name: string): Promise<boolean> =>
  await tx.db.selectFrom('placementInventories').select('providerId').where('resourceClass', '=', name).limit(1).executeTakeFirst() !== undefined

/** In inventories and allocations alike; their providers count as changed. */
export async function rename(tx: PlacementTx, from: string, to: string): Promise<void> {
  await tx.db.updateTable('placementProviders').set({ stamp: sql<number>`stamp + 1` })
    .where('id', 'in', (q) => q.selectFrom('placementInventories').select('providerId').where('resourceClass', '=', from)).execute()
  for (const table of ['placementInventories', 'placementAllocations'] as const) {
    await tx.db.updateTable(table).set({ resourceClass: to }).where('resourceClass', '=', from).execute()
  }
}

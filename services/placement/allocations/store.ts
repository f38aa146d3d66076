// Rows of allocations: who uses how much of what. The inventories' `used` sums move in the same transaction.
import { sql } from 'kysely'
import { conflict } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'
import type { AllocationRow, ConsumerRow } from '../schema.ts'

export interface Claim {
  consumerId: string
  /** Absent: the caller does not care (before 1.28). null: the consumer must be new. */
  generation?: number | null
  projectId: string
  userId: string
  /** provider → resource class → amount; none at all frees everything. */
  allocations: Record<string, Record<string, number>>
}

export const ofConsumer = (tx: PlacementTx, consumerId: string): Promise<AllocationRow[]> =>
  tx.db.selectFrom('placementAllocations').selectAll().where('consumerId', '=', consumerId).orderBy('providerId').orderBy('resourceClass').execute()

export const ofProvider = (tx: PlacementTx, providerId: string): Promise<AllocationRow[]> =>
  tx.db.selectFrom('placementAllocations').selectAll().where('providerId', '=', providerId).orderBy('consumerId').orderBy('resourceClass').execute()

export const findConsumer = (tx: PlacementTx, id: string): Promise<ConsumerRow | undefined> =>
  tx.db.selectFrom('placementConsumers').selectAll().where('id', '=', id).executeTakeFirst()

const stale = (id: string): Error => conflict(`consumer generation conflict - the allocations of ${id} were changed by somebody else`, { type: 'placement.concurrent_update' })

async function giveBack(tx: PlacementTx, rows: AllocationRow[]): Promise<void> {
  for (const row of rows) {
    await tx.db.updateTable('placementInventories').set({ used: sql<number>`used - ${row.used}` }).where('providerId', '=', row.providerId).where('resourceClass', '=', row.resourceClass).execute()
  }
}

/** Replaces all of a consumer's allocations, or throws Conflict with nothing changed (inside `tx`). */
export async function replace(tx: PlacementTx, claim: Claim): Promise<void> {
  const known = await findConsumer(tx, claim.consumerId)
  if (claim.generation !== undefined && (claim.generation === null ? known !== undefined : known?.generation !== claim.generation)) throw stale(claim.consumerId)
  if (known) {
    if (await change(tx, 'placementConsumers', { id: known.id, generation: known.generation }, { generation: known.generation + 1, projectId: claim.projectId, userId: claim.userId, updatedAt: now() }) === 0) throw stale(claim.consumerId)
  } else {
    await insert(tx, 'placementConsumers', { id: claim.consumerId, generation: 1, projectId: claim.projectId, userId: claim.userId, createdAt: now(), updatedAt: now() }, () => stale(claim.consumerId))
  }
  await giveBack(tx, await ofConsumer(tx, claim.consumerId))
  await tx.db.deleteFrom('placementAllocations').where('consumerId', '=', claim.consumerId).execute()
  const rows: AllocationRow[] = []
  for (const [providerId, resources] of Object.entries(claim.allocations)) {
    for (const [resourceClass, used] of Object.entries(resources)) {
      const { numUpdatedRows } = await tx.db.updateTable('placementInventories').set({ used: sql<number>`used + ${used}` })
        .where('providerId', '=', providerId).where('resourceClass', '=', resourceClass).where('minUnit', '<=', used).where('maxUnit', '>=', used)
        .where(sql<boolean>`used + ${used} <= (total - reserved) * allocation_ratio`).executeTakeFirst()
      if (Number(numUpdatedRows) === 0) throw conflict(`Unable to allocate inventory: Unable to create allocation for '${resourceClass}' on resource provider '${providerId}'. The requested amount would exceed the capacity.`)
      rows.push({ consumerId: claim.consumerId, providerId, resourceClass, used })
    }
  }
  if (rows.length > 0) await insert(tx, 'placementAllocations', rows.map((row) => ({ ...row })))
  else await tx.db.deleteFrom('placementConsumers').where('id', '=', claim.consumerId).execute()
}

/** Frees everything a consumer has; answers whether there was anything. */
export async function release(tx: PlacementTx, consumerId: string): Promise<boolean> {
  const rows = await ofConsumer(tx, consumerId)
  await giveBack(tx, rows)
  await tx.db.deleteFrom('placementAllocations').where('consumerId', '=', consumerId).execute()
  await tx.db.deleteFrom('placementConsumers').where('id', '=', consumerId).execute()
  return rows.length > 0
}

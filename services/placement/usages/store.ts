// Sums of what projects and users take.
import { sql } from 'kysely'
import type { PlacementTx } from '../deps.ts'

/** `consumerType`: only those of this type; 'unknown': those without one; undefined: all. */
export interface UsageFilter { projectId: string, userId?: string, consumerType?: string }
/** What consumers of one type take of one class. */
export interface Usage { consumerType: string | null, resourceClass: string, used: number }

const ofProject = (tx: PlacementTx, { projectId, userId, consumerType }: UsageFilter) => {
  let query = tx.db.selectFrom('placementAllocations as a').innerJoin('placementConsumers as c', 'c.id', 'a.consumerId').where('c.projectId', '=', projectId)
  if (userId !== undefined) query = query.where('c.userId', '=', userId)
  if (consumerType === 'unknown') query = query.where('c.consumerType', 'is', null)
  else if (consumerType !== undefined) query = query.where('c.consumerType', '=', consumerType)
  return query
}

/** The sums of all that fits the filter, apart for each type of consumer and each resource class. */
export async function byTypeAndClass(tx: PlacementTx, filter: UsageFilter): Promise<Usage[]> {
  const rows = await ofProject(tx, filter).select(['c.consumerType', 'a.resourceClass', sql<number>`sum(a.used)`.as('used')])
    .groupBy(['c.consumerType', 'a.resourceClass']).orderBy('a.resourceClass').execute()
  return rows.map((r) => ({ ...r, used: Number(r.used) }))
}

/** How many consumers of each type there are. */
export async function consumersByType(tx: PlacementTx, filter: UsageFilter): Promise<Map<string | null, number>> {
  const rows = await ofProject(tx, filter).select(['c.consumerType', sql<number>`count(distinct a.consumer_id)`.as('n')]).groupBy('c.consumerType').execute()
  return new Map(rows.map((r) => [r.consumerType, Number(r.n)]))
}

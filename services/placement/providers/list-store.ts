// The list of providers with all its filters, in one statement.
import { sql } from 'kysely'
import type { PlacementTx } from '../deps.ts'
import type { Group } from '../candidates/request.ts'
import type { ProviderRow } from '../schema.ts'

/** `group`: what the provider itself must have, be in and be. */
export interface ProviderFilter { name?: string, uuid?: string, group: Omit<Group, 'suffix' | 'granular'> }

/** In the order of their names. */
export function list(tx: PlacementTx, { name, uuid, group }: ProviderFilter): Promise<ProviderRow[]> {
  let query = tx.db.selectFrom('placementProviders as p').selectAll('p')
  if (name !== undefined) query = query.where('p.name', '=', name)
  if (uuid !== undefined) query = query.where('p.id', '=', uuid)
  if (group.inTree !== undefined) query = query.where('p.rootId', '=', (q) => q.selectFrom('placementProviders as t').select('t.rootId').where('t.id', '=', group.inTree!))
  for (const traits of group.required) {
    query = query.where(({ exists, selectFrom }) =>
      exists(selectFrom('placementTraits as t').select('t.trait').whereRef('t.providerId', '=', 'p.id').where('t.trait', 'in', traits)))
  }
  if (group.forbidden.length > 0) {
    query = query.where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('placementTraits as t').select('t.trait').whereRef('t.providerId', '=', 'p.id').where('t.trait', 'in', group.forbidden))))
  }
  for (const aggregates of group.memberOf) {
    query = query.where(({ exists, selectFrom }) => exists(selectFrom('placementAggregates as a').select('a.providerId')
      .whereRef('a.providerId', '=', 'p.id').where('a.aggregateId', 'in', aggregates)))
  }
  if (group.notMemberOf.length > 0) {
    query = query.where(({ not, exists, selectFrom }) => not(exists(selectFrom('placementAggregates as a').select('a.providerId')
      .whereRef('a.providerId', '=', 'p.id').where('a.aggregateId', 'in', group.notMemberOf))))
  }
  for (const [resourceClass, amount] of group.resources) {
    query = query.where(({ exists, selectFrom }) => exists(selectFrom('placementInventories as i').select('i.providerId')
      .whereRef('i.providerId', '=', 'p.id').where('i.resourceClass', '=', resourceClass).where('i.maxUnit', '>=', amount).where('i.minUnit', '<=', amount)
      .where(sql<boolean>`${amount} % i.step_size = 0`).where(sql<boolean>`i.used + ${amount} <= (i.total - i.reserved) * i.allocation_ratio`)))
  }
  return query.orderBy('p.name').execute()
}

// Rows of resource providers, their inventories and traits.
import { sql } from 'kysely'
import { conflict, notFound } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'
import type { InventoryRow, ProviderRow } from '../schema.ts'

export const find = (tx: PlacementTx, id: string): Promise<ProviderRow | undefined> =>
  tx.db.selectFrom('placementProviders').selectAll().where('id', '=', id).executeTakeFirst()

export async function get(tx: PlacementTx, id: string): Promise<ProviderRow> {
  const row = await find(tx, id)
  if (!row) throw notFound(`No resource provider with uuid ${id} found`)
  return row
}

export function list(tx: PlacementTx, filter: { name?: string, uuid?: string }): Promise<ProviderRow[]> {
  let query = tx.db.selectFrom('placementProviders').selectAll()
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.uuid !== undefined) query = query.where('id', '=', filter.uuid)
  return query.orderBy('name').execute()
}

export async function add(tx: PlacementTx, id: string, name: string): Promise<ProviderRow> {
  const row: ProviderRow = { id, name, generation: 0, parentId: null, rootId: id, createdAt: now(), updatedAt: now() }
  await insert(tx, 'placementProviders', { ...row }, () => conflict(`Conflicting resource provider ${name} already exists.`))
  return row
}

export const rename = (tx: PlacementTx, id: string, name: string): Promise<number> => change(tx, 'placementProviders', { id }, { name, updatedAt: now() })

/** Refused while anything is allocated from it. */
export async function remove(tx: PlacementTx, id: string): Promise<void> {
  const used = await tx.db.selectFrom('placementAllocations').select('consumerId').where('providerId', '=', id).limit(1).executeTakeFirst()
  if (used) throw conflict(`Unable to delete resource provider ${id}: Resource provider has allocations.`)
  await tx.db.deleteFrom('placementInventories').where('providerId', '=', id).execute()
  await tx.db.deleteFrom('placementTraits').where('providerId', '=', id).execute()
  await tx.db.deleteFrom('placementProviders').where('id', '=', id).execute()
}

export const inventories = (tx: PlacementTx, id: string): Promise<InventoryRow[]> =>
  tx.db.selectFrom('placementInventories').selectAll().where('providerId', '=', id).orderBy('resourceClass').execute()

export type Inventory = Omit<InventoryRow, 'providerId' | 'used'>

/** Replaces all inventories; the generation must be the one the caller saw. What is in use cannot be taken away. */
export async function replaceInventories(tx: PlacementTx, id: string, generation: number, wanted: Inventory[]): Promise<ProviderRow> {
  if (await change(tx, 'placementProviders', { id, generation }, { generation: generation + 1, updatedAt: now() }) === 0) {
    await get(tx, id)
    throw conflict('resource provider generation conflict', { type: 'placement.concurrent_update' })
  }
  const standing = new Map((await inventories(tx, id)).map((row) => [row.resourceClass, row]))
  for (const item of wanted) {
    const known = standing.get(item.resourceClass)
    standing.delete(item.resourceClass)
    if (known) await change(tx, 'placementInventories', { providerId: id, resourceClass: item.resourceClass }, { ...item })
    else await insert(tx, 'placementInventories', { ...item, providerId: id, used: 0 })
  }
  for (const row of standing.values()) {
    if (row.used > 0) throw conflict(`Inventory for '${row.resourceClass}' on resource provider '${id}' in use.`, { type: 'placement.inventory.inuse' })
    await tx.db.deleteFrom('placementInventories').where('providerId', '=', id).where('resourceClass', '=', row.resourceClass).execute()
  }
  return get(tx, id)
}

export async function replaceTraits(tx: PlacementTx, id: string, traits: string[]): Promise<void> {
  await tx.db.deleteFrom('placementTraits').where('providerId', '=', id).execute()
  if (traits.length > 0) await insert(tx, 'placementTraits', traits.map((trait) => ({ providerId: id, trait })))
}

/** Providers with room for all of `resources` and all of the `required` traits, those with most free memory first. */
export async function withRoom(tx: PlacementTx, resources: Record<string, number>, required: string[], limit: number): Promise<{ id: string, name: string, inventories: InventoryRow[] }[]> {
  let query = tx.db.selectFrom('placementProviders as p').select(['p.id', 'p.name'])
  for (const [resourceClass, amount] of Object.entries(resources)) {
    query = query.where(({ exists, selectFrom }) => exists(selectFrom('placementInventories as i').select('i.providerId')
      .whereRef('i.providerId', '=', 'p.id').where('i.resourceClass', '=', resourceClass)
      .where(sql<boolean>`i.used + ${amount} <= (i.total - i.reserved) * i.allocation_ratio`).where('i.maxUnit', '>=', amount).where('i.minUnit', '<=', amount)))
  }
  for (const trait of required) {
    query = query.where(({ exists, selectFrom }) => exists(selectFrom('placementTraits as t').select('t.providerId').whereRef('t.providerId', '=', 'p.id').where('t.trait', '=', trait)))
  }
  const providers = await query.leftJoin('placementInventories as m', (join) => join.onRef('m.providerId', '=', 'p.id').on('m.resourceClass', '=', 'MEMORY_MB'))
    .orderBy(sql`(m.total - m.reserved) * m.allocation_ratio - m.used`, 'desc').orderBy('p.id').limit(limit).execute()
  if (providers.length === 0) return []
  const rows = await tx.db.selectFrom('placementInventories').selectAll().where('providerId', 'in', providers.map((p) => p.id)).execute()
  const byProvider = Map.groupBy(rows, (row) => row.providerId)
  return providers.map((p) => ({ ...p, inventories: byProvider.get(p.id) ?? [] }))
}

export const countAll = async (tx: PlacementTx): Promise<number> =>
  Number((await tx.db.selectFrom('placementProviders').select(({ fn }) => fn.countAll().as('n')).executeTakeFirstOrThrow()).n)

// Rows of inventories. All that write hold the provider.
import { badRequest, conflict } from '#base/errors.ts'
import { change, inChunks, insert } from '#kit/store/rows.ts'
import * as names from '../custom-names/store.ts'
import type { PlacementTx } from '../deps.ts'
import { codes } from '../replies.ts'
import { standardClasses } from '../resource-classes/standard.ts'
import type { InventoryRow } from '../schema.ts'
import type { Inventory } from './fields.ts'

export const ofProvider = (tx: PlacementTx, id: string): Promise<InventoryRow[]> =>
  tx.db.selectFrom('placementInventories').selectAll().where('providerId', '=', id).orderBy('resourceClass').execute()

/** Those of any number of providers. */
export async function ofProviders(tx: PlacementTx, providerIds: string[]): Promise<InventoryRow[]> {
  const rows: InventoryRow[] = []
  for (const ids of inChunks(providerIds, 400)) rows.push(...await tx.db.selectFrom('placementInventories').selectAll().where('providerId', 'in', ids).execute())
  return rows
}

/** Refuses to take away what somebody uses; `before` begins the words. */
export const inUse = (providerId: string, classes: string[], before: string): Error =>
  conflict(`${before}Inventory for '${classes.join(', ')}' on resource provider '${providerId}' in use.`, { type: codes.inventoryInUse })

/** Holds the classes; throws badRequest for the first that there is not. */
export async function mustKnowClasses(tx: PlacementTx, providerId: string, doing: string, classes: Iterable<string>): Promise<void> {
  const [missing] = await names.hold(tx, 'resourceClass', classes, standardClasses)
  if (missing !== undefined) throw badRequest(`${doing} ${providerId}: No such resource class ${missing}.`)
}

/** Standard classes in the order of their list, then those of somebody's own. */
const inOrder = (classes: string[]): string[] => [...[...standardClasses].filter((c) => classes.includes(c)), ...classes.filter((c) => !standardClasses.has(c))]

/** Replaces all; answers whether that changed anything. What is in use cannot be taken away, but may shrink below what is used of it. */
export async function replace(tx: PlacementTx, providerId: string, wanted: Inventory[], before = 'update conflict: '): Promise<boolean> {
  await mustKnowClasses(tx, providerId, 'Unknown resource class in inventory for resource provider', wanted.map((w) => w.resourceClass))
  const standing = new Map((await ofProvider(tx, providerId)).map((row) => [row.resourceClass, row]))
  let changed = false
  const fresh: Inventory[] = []
  for (const item of wanted) {
    const known = standing.get(item.resourceClass)
    standing.delete(item.resourceClass)
    if (!known) fresh.push(item)
    else if ((Object.keys(item) as (keyof Inventory)[]).some((key) => known[key] !== item[key])) {
      await change(tx, 'placementInventories', { providerId, resourceClass: item.resourceClass }, { ...item })
      changed = true
    }
  }
  const gone = [...standing.values()], used = gone.filter((row) => row.used > 0)
  if (used.length > 0) throw inUse(providerId, inOrder(used.map((row) => row.resourceClass)), before)
  if (fresh.length > 0) await insert(tx, 'placementInventories', fresh.map((item) => ({ ...item, providerId, used: 0 })))
  if (gone.length > 0) {
    await tx.db.deleteFrom('placementInventories').where('providerId', '=', providerId).where('resourceClass', 'in', gone.map((row) => row.resourceClass)).execute()
  }
  return changed || fresh.length + gone.length > 0
}

/** `taken` is thrown when the provider has one of this class already. */
export const add = (tx: PlacementTx, providerId: string, item: Inventory, taken: () => Error): Promise<void> =>
  insert(tx, 'placementInventories', { ...item, providerId, used: 0 }, taken)
export const find = (tx: PlacementTx, providerId: string, resourceClass: string): Promise<InventoryRow | undefined> =>
  tx.db.selectFrom('placementInventories').selectAll().where('providerId', '=', providerId).where('resourceClass', '=', resourceClass).executeTakeFirst()
/** Answers how many rows there were: none or one. */
export const update = (tx: PlacementTx, providerId: string, item: Inventory): Promise<number> =>
  change(tx, 'placementInventories', { providerId, resourceClass: item.resourceClass }, { ...item })
export const remove = async (tx: PlacementTx, providerId: string, resourceClass: string): Promise<void> => {
  await tx.db.deleteFrom('placementInventories').where('providerId', '=', providerId).where('resourceClass', '=', resourceClass).execute()
}

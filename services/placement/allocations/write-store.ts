// The one place where capacity is taken and given back. Consumers are held first, then the providers on both sides; so the sums that are checked are the sums that are
// written, and of two who want the last of something one is refused.
import { sql } from 'kysely'
import { badRequest, conflict } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, inChunks, insert, insertIfAbsent } from '#kit/store/rows.ts'
import * as names from '../custom-names/store.ts'
import type { PlacementTx } from '../deps.ts'
import { capacityOf } from '../inventories/fields.ts'
import * as inventories from '../inventories/store.ts'
import * as providers from '../providers/store.ts'
import { codes } from '../replies.ts'
import { standardClasses } from '../resource-classes/standard.ts'
import type { AllocationRow, InventoryRow } from '../schema.ts'
import { findConsumer, ofConsumers } from './store.ts'

/** All that a consumer shall use from now on. */
export interface Wanted {
  consumerId: string
  /** Absent: the caller does not care (before 1.28). null: the consumer must be new. */
  generation?: number | null
  projectId: string
  userId: string
  /** Absent: as it is (before 1.38). */
  consumerType?: string
  /** provider → resource class → amount; none at all frees everything. */
  allocations: Record<string, Record<string, number>>
}

const stale = (expected: unknown, got: unknown): Error =>
  conflict(`consumer generation conflict - expected ${expected ?? 'null'} but got ${got ?? 'null'}`, { type: codes.concurrent })

/** Holds the consumer, making it if need be, and moves its generation on. */
async function holdConsumer(tx: PlacementTx, { consumerId: id, generation, projectId, userId, consumerType }: Wanted): Promise<void> {
  const blind = generation === undefined, known = await findConsumer(tx, id)
  if (!blind && (known?.generation ?? null) !== generation) throw stale(known?.generation, generation)
  const set = { projectId, userId, ...(consumerType !== undefined && { consumerType }), updatedAt: now() }
  const next = (): Promise<number> => change(tx, 'placementConsumers', { id, ...(!blind && { generation }) }, { ...set, generation: sql`generation + 1` })
  if (known && await next() > 0) return
  if (known && !blind) throw stale('another one', generation)
  if (await insertIfAbsent(tx, 'placementConsumers', { ...set, id, generation: 1, consumerType: consumerType ?? null, createdAt: now() })) return
  if (!blind || await next() === 0) throw stale('another one', generation)
}

type Sums = Map<string, InventoryRow & { was: number }>
const keyOf = (providerId: string, resourceClass: string): string => `${providerId} ${resourceClass}`
const about = (what: string, providerId: string): string => `'${what}' on resource provider '${providerId}'`

/** Refuses what does not fit: what is not there, breaks the inventory's units, or is too much. Who is over capacity already may take less than before. */
function mustFit(rows: AllocationRow[], sums: Sums): void {
  const refused = (why: string): Error => conflict(`Unable to allocate inventory: ${why}`)
  for (const { providerId, resourceClass, used } of rows) {
    const sum = sums.get(keyOf(providerId, resourceClass))
    if (!sum) throw refused(`Inventory for ${about(resourceClass, providerId)} invalid.`)
    if (used < sum.minUnit || used > sum.maxUnit || used % sum.stepSize !== 0) {
      throw refused(`Unable to create allocation for ${about(resourceClass, providerId)}. The requested amount would violate inventory constraints.`)
    }
    if (sum.used > capacityOf(sum) && (sum.was === 0 || sum.used > sum.was)) {
      throw refused(`Unable to create allocation for ${about(resourceClass, providerId)}. The requested amount would exceed the capacity.`)
    }
  }
}

/** What the consumers use, replaced whole: all of it or nothing. */
export async function replaceAllocations(tx: PlacementTx, wanted: Wanted[], { generations = true } = {}): Promise<void> {
  for (const one of [...wanted].sort((a, b) => (a.consumerId < b.consumerId ? -1 : 1))) await holdConsumer(tx, one)
  const consumerIds = wanted.map((w) => w.consumerId), old = await ofConsumers(tx, consumerIds)
  const rows = wanted.flatMap(({ consumerId, allocations }) => Object.entries(allocations).flatMap(([providerId, resources]) =>
    Object.entries(resources).map(([resourceClass, used]): AllocationRow => ({ consumerId, providerId, resourceClass, used }))))
  const touched = new Set([...rows, ...old].map((row) => row.providerId))
  const held = await providers.hold(tx, touched)
  for (const { providerId } of rows) if (!held.has(providerId)) throw badRequest(`Allocation for resource provider '${providerId}' that does not exist.`)
  const [unknown] = await names.unknown(tx, 'resourceClass', rows.map((row) => row.resourceClass), standardClasses)
  if (unknown !== undefined) throw badRequest(`Unable to allocate inventory for consumer ${consumerIds.join(', ').slice(0, 200)}: No such resource class ${unknown}.`)

  const sums: Sums = new Map((await inventories.ofProviders(tx, [...touched])).map((row) => [keyOf(row.providerId, row.resourceClass), { ...row, was: row.used }]))
  const add = (row: AllocationRow, sign: 1 | -1): void => {
    const sum = sums.get(keyOf(row.providerId, row.resourceClass))
    if (sum) sum.used += sign * row.used
  }
  for (const row of old) add(row, -1)
  for (const row of rows) add(row, 1)
  mustFit(rows, sums)

  const served = [...new Set(old.map((row) => row.consumerId))]
  for (const ids of inChunks(served, 400)) await tx.db.deleteFrom('placementAllocations').where('consumerId', 'in', ids).execute()
  if (rows.length > 0) await insert(tx, 'placementAllocations', rows.map((row) => ({ ...row })))
  for (const sum of sums.values()) {
    if (sum.used !== sum.was) await change(tx, 'placementInventories', { providerId: sum.providerId, resourceClass: sum.resourceClass }, { used: sum.used })
  }
  // A provider that a consumer exchanged for another one is not told; one that it left for nothing is.
  const stays = new Set(rows.map((row) => row.consumerId))
  if (generations) {
    const left = old.filter((row) => !stays.has(row.consumerId))
    await providers.nextGenerations(tx, new Set([...rows, ...left].map((row) => row.providerId)))
  }
  // Nobody who uses nothing is a consumer.
  const empty = consumerIds.filter((id) => !stays.has(id))
  for (const ids of inChunks(empty, 400)) await tx.db.deleteFrom('placementConsumers').where('id', 'in', ids).execute()
}

/** Frees everything a consumer has, which leaves the providers' generations as they are; answers whether there was anything. */
export async function freeAllocations(tx: PlacementTx, consumerId: string): Promise<boolean> {
  const known = await findConsumer(tx, consumerId)
  if (!known) return false
  await replaceAllocations(tx, [{ consumerId, projectId: known.projectId, userId: known.userId, allocations: {} }], { generations: false })
  return true
}

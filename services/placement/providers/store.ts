// Rows of resource providers. Whoever changes one, what it has, or what is used of it, holds it first: so nobody's sums can be outdated, and its stamp grows.
import { sql } from 'kysely'
import { conflict, notFound } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { inChunks, insert } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'
import { codes } from '../replies.ts'
import type { ProviderRow } from '../schema.ts'

/** The 404; `why` is put at the end of its words. */
export const absent = (id: string, why = ''): Error => notFound(`No resource provider with uuid ${id} found${why}`)
const taken = (what: 'name' | 'uuid', value: string): Error => conflict(`Conflicting resource provider ${what}: ${value} already exists.`, { type: codes.duplicateName })

export const find = (tx: PlacementTx, id: string): Promise<ProviderRow | undefined> =>
  tx.db.selectFrom('placementProviders').selectAll().where('id', '=', id).executeTakeFirst()

/** The root and all below it. */
export const inTree = (tx: PlacementTx, rootId: string): Promise<ProviderRow[]> =>
  tx.db.selectFrom('placementProviders').selectAll().where('rootId', '=', rootId).execute()

/** Keeps the providers as they are for everybody else until the transaction ends, and answers what they are. Those that do not exist are missing. */
export async function hold(tx: PlacementTx, ids: Iterable<string>): Promise<Map<string, ProviderRow>> {
  const held = new Map<string, ProviderRow>()
  for (const some of inChunks([...new Set(ids)].sort(), 400)) {
    await tx.db.updateTable('placementProviders').set({ stamp: sql<number>`stamp + 1`, updatedAt: now() }).where('id', 'in', some).execute()
    for (const row of await tx.db.selectFrom('placementProviders').selectAll().where('id', 'in', some).execute()) held.set(row.id, row)
  }
  return held
}

/** As `hold`; throws notFound when it is not there. */
export async function holdOne(tx: PlacementTx, id: string): Promise<ProviderRow> {
  const row = (await hold(tx, [id])).get(id)
  if (!row) throw absent(id)
  return row
}

/** Holds it, if it is still as the caller saw it; else throws a conflict in these words. */
export async function holdAt(tx: PlacementTx, id: string, generation: number, words = 'resource provider generation conflict'): Promise<ProviderRow> {
  const row = await holdOne(tx, id)
  if (row.generation !== generation) throw conflict(words, { type: codes.concurrent })
  return row
}

/** What the callers of these providers saw is old from now on. They are held. */
export async function nextGenerations(tx: PlacementTx, ids: Iterable<string>): Promise<void> {
  for (const some of inChunks([...ids], 400)) {
    await tx.db.updateTable('placementProviders').set({ generation: sql<number>`generation + 1` }).where('id', 'in', some).execute()
  }
}
/** As `nextGenerations`, of one; answers it as it is then. */
export async function nextGeneration(tx: PlacementTx, held: ProviderRow): Promise<ProviderRow> {
  await nextGenerations(tx, [held.id])
  return { ...held, generation: held.generation + 1 }
}

/** The parent is held already. */
export async function add(tx: PlacementTx, id: string, name: string, parent?: ProviderRow): Promise<ProviderRow> {
  const at = now()
  // Starting at the time: a provider that is deleted and made again must not look like the old one.
  const row: ProviderRow = { id, name, generation: 0, parentId: parent?.id ?? null, rootId: parent?.rootId ?? id, stamp: Date.now() * 1000, createdAt: at, updatedAt: at }
  const there = await tx.db.selectFrom('placementProviders').select('name').where((e) => e.or([e('id', '=', id), e('name', '=', name)])).execute()
  if (there.length > 0) throw there.some((p) => p.name === name) ? taken('name', name) : taken('uuid', id)
  await insert(tx, 'placementProviders', { ...row }, () => taken('name', name))
  return row
}

/** Throws a conflict when another provider has the name. */
export async function rename(tx: PlacementTx, held: ProviderRow, name: string): Promise<ProviderRow> {
  if (name === held.name) return held
  if (await tx.db.selectFrom('placementProviders').select('id').where('name', '=', name).executeTakeFirst()) throw taken('name', name)
  await tx.db.updateTable('placementProviders').set({ name }).where('id', '=', held.id).execute()
  return { ...held, name }
}

/** Hangs a provider, with all below it, under another one or nothing. All roots are held. */
export async function move(tx: PlacementTx, held: ProviderRow, subtree: string[], parent: ProviderRow | undefined): Promise<ProviderRow> {
  const rootId = parent?.rootId ?? held.id
  for (const ids of inChunks(subtree, 400)) {
    await tx.db.updateTable('placementProviders').set({ rootId, stamp: sql<number>`stamp + 1` }).where('id', 'in', ids).execute()
  }
  await tx.db.updateTable('placementProviders').set({ parentId: parent?.id ?? null }).where('id', '=', held.id).execute()
  return { ...held, rootId, parentId: parent?.id ?? null }
}

/** Refused while anything is allocated from it, or hangs below it. */
export async function remove(tx: PlacementTx, id: string): Promise<void> {
  await holdOne(tx, id)
  if (await tx.db.selectFrom('placementProviders').select('id').where('parentId', '=', id).limit(1).executeTakeFirst()) {
    throw conflict(`Unable to delete parent resource provider ${id}: It has child resource providers.`, { type: codes.isParent })
  }
  if (await tx.db.selectFrom('placementAllocations').select('consumerId').where('providerId', '=', id).limit(1).executeTakeFirst()) {
    throw conflict(`Unable to delete resource provider ${id}: Resource provider has allocations.`, { type: codes.providerInUse })
  }
  for (const table of ['placementInventories', 'placementTraits', 'placementAggregates'] as const) await tx.db.deleteFrom(table).where('providerId', '=', id).execute()
  await tx.db.deleteFrom('placementProviders').where('id', '=', id).execute()
}

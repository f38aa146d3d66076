// Rows of names that begin with CUSTOM_: traits and resource classes live the same life.
import { sql } from 'kysely'
import { now } from '#base/time.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'
import type { CustomNameRow } from '../schema.ts'

type Kind = CustomNameRow['kind']
/** By its spelling: whether there is such a row is another question. */
export const isCustom = (name: string): boolean => name.startsWith('CUSTOM_')

/** In order. */
export const list = (tx: PlacementTx, kind: Kind): Promise<CustomNameRow[]> =>
  tx.db.selectFrom('placementCustomNames').selectAll().where('kind', '=', kind).orderBy('name').execute()
export const find = (tx: PlacementTx, kind: Kind, name: string): Promise<CustomNameRow | undefined> =>
  tx.db.selectFrom('placementCustomNames').selectAll().where('kind', '=', kind).where('name', '=', name).executeTakeFirst()
/** Answers whether it is new. */
export const add = (tx: PlacementTx, kind: Kind, name: string): Promise<boolean> => insertIfAbsent(tx, 'placementCustomNames', { kind, name, uses: 0, createdAt: now() })
export const remove = async (tx: PlacementTx, kind: Kind, name: string): Promise<void> => {
  await tx.db.deleteFrom('placementCustomNames').where('kind', '=', kind).where('name', '=', name).execute()
}

/** Those of `names` that are neither standard nor somebody's own. */
export async function unknown(tx: PlacementTx, kind: Kind, names: Iterable<string>, standard: ReadonlySet<string>): Promise<string[]> {
  const asked = [...new Set(names)].filter((name) => !standard.has(name)), own = asked.filter(isCustom)
  if (own.length === 0) return asked
  const known = new Set((await tx.db.selectFrom('placementCustomNames').select('name').where('kind', '=', kind).where('name', 'in', own).execute()).map((r) => r.name))
  return asked.filter((name) => !known.has(name))
}

/** Until the end of the transaction none of these can be removed; answers those that are not there. */
export async function hold(tx: PlacementTx, kind: Kind, names: Iterable<string>, standard: ReadonlySet<string>): Promise<string[]> {
  const own = [...new Set(names)].filter(isCustom).sort()
  if (own.length > 0) await tx.db.updateTable('placementCustomNames').set({ uses: sql<number>`uses + 1` }).where('kind', '=', kind).where('name', 'in', own).execute()
  return unknown(tx, kind, names, standard)
}

// Rows of flavors, their extra specs and who may use the private ones.
import type { ExpressionBuilder } from 'kysely'
import { insert } from '#kit/store/rows.ts'
import { conflict, notFound } from '#base/errors.ts'
import type { ComputeTx } from '../deps.ts'
import type { ComputeTables, FlavorRow, FlavorSnapshot } from '../schema.ts'

export interface Flavor extends FlavorRow { extraSpecs: Record<string, string> }

export interface FlavorFilter {
  /** undefined: both kinds; true: public ones and those this project was given. */
  isPublic?: boolean
  /** Private flavors this project may use are listed with the public ones. */
  projectId?: string
  disabled?: boolean
  minMemoryMib?: number
  minDiskGib?: number
  sortKey: keyof FlavorRow
  descending: boolean
  limit: number
  marker?: string
}

export const flavorMissing = (id: string): Error => notFound(`Flavor ${id} could not be found.`)

async function withSpecs(tx: ComputeTx, rows: FlavorRow[]): Promise<Flavor[]> {
  if (rows.length === 0) return []
  const specs = await tx.db.selectFrom('computeFlavorExtraSpecs').selectAll().where('flavorId', 'in', rows.map((r) => r.id)).orderBy('key').execute()
  const of = new Map<string, [string, string][]>()
  for (const s of specs) { const list = of.get(s.flavorId); if (list) list.push([s.key, s.value]); else of.set(s.flavorId, [[s.key, s.value]]) }
  return rows.map((row) => ({ ...row, extraSpecs: Object.fromEntries(of.get(row.id) ?? []) }))
}

export async function find(tx: ComputeTx, id: string): Promise<Flavor | undefined> {
  const row = await tx.db.selectFrom('computeFlavors').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withSpecs(tx, [row]))[0]
}

/** The flavor if this project may use it; administrators may use any. */
export async function findUsable(tx: ComputeTx, id: string, projectId: string | undefined, isAdmin: boolean): Promise<Flavor | undefined> {
  const flavor = await find(tx, id)
  if (!flavor || isAdmin || flavor.isPublic) return flavor
  const given = projectId !== undefined && await tx.db.selectFrom('computeFlavorAccess').select('flavorId').where('flavorId', '=', id).where('projectId', '=', projectId).executeTakeFirst()
  return given ? flavor : undefined
}

/** A page; undefined when the marker names no flavor. */
export async function list(tx: ComputeTx, f: FlavorFilter): Promise<Flavor[] | undefined> {
  let query = tx.db.selectFrom('computeFlavors').selectAll()
  const { projectId } = f
  if (f.isPublic === false) query = query.where('isPublic', '=', 0)
  if (f.isPublic === true) query = projectId === undefined ? query.where('isPublic', '=', 1) : query.where((e) => e.or([
    e('isPublic', '=', 1), e('id', 'in', e.selectFrom('computeFlavorAccess').select('flavorId').where('projectId', '=', projectId)),
  ]))
  if (f.disabled !== undefined) query = query.where('disabled', '=', f.disabled ? 1 : 0)
  if (f.minMemoryMib !== undefined) query = query.where('memoryMib', '>=', f.minMemoryMib)
  if (f.minDiskGib !== undefined) query = query.where('diskGib', '>=', f.minDiskGib)
  const down = f.descending ? 'desc' : 'asc', beyond = f.descending ? '<' : '>'
  // NULLs sort as empty text, the same on every engine.
  const key = (e: ExpressionBuilder<ComputeTables, 'computeFlavors'>) => (f.sortKey === 'description' || f.sortKey === 'updatedAt' ? e.fn.coalesce(f.sortKey, e.val('')) : e.ref(f.sortKey))
  if (f.marker !== undefined) {
    const at = await tx.db.selectFrom('computeFlavors').selectAll().where('id', '=', f.marker).executeTakeFirst()
    if (!at) return undefined
    const value = at[f.sortKey] ?? ''
    query = query.where((e) => e.or([e(key(e), beyond, value), e.and([e(key(e), '=', value), e('id', beyond, at.id)])]))
  }
  return withSpecs(tx, await query.orderBy((e) => key(e), down).orderBy('id', down).limit(f.limit).execute())
}

export const add = async (tx: ComputeTx, row: FlavorRow): Promise<void> => {
  if (await tx.db.selectFrom('computeFlavors').select('id').where('id', '=', row.id).executeTakeFirst()) throw conflict(`Flavor with ID ${row.id} already exists.`)
  await insert(tx, 'computeFlavors', { ...row }, () => conflict(`Flavor with name ${row.name} already exists.`))
}

export const describe = async (tx: ComputeTx, id: string, description: string | null, updatedAt: string): Promise<void> => {
  await tx.db.updateTable('computeFlavors').set({ description, updatedAt }).where('id', '=', id).execute()
}

export async function remove(tx: ComputeTx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db.deleteFrom('computeFlavors').where('id', '=', id).executeTakeFirst()
  await tx.db.deleteFrom('computeFlavorExtraSpecs').where('flavorId', '=', id).execute()
  await tx.db.deleteFrom('computeFlavorAccess').where('flavorId', '=', id).execute()
  return numDeletedRows > 0n
}

export async function setSpecs(tx: ComputeTx, flavorId: string, specs: Record<string, string>): Promise<void> {
  const keys = Object.keys(specs)
  if (keys.length === 0) return
  await tx.db.deleteFrom('computeFlavorExtraSpecs').where('flavorId', '=', flavorId).where('key', 'in', keys).execute()
  await insert(tx, 'computeFlavorExtraSpecs', keys.map((key) => ({ flavorId, key, value: specs[key] })))
}

export const removeSpec = async (tx: ComputeTx, flavorId: string, key: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeFlavorExtraSpecs').where('flavorId', '=', flavorId).where('key', '=', key).executeTakeFirst()).numDeletedRows > 0n

export const accessOf = async (tx: ComputeTx, flavorId: string): Promise<string[]> =>
  (await tx.db.selectFrom('computeFlavorAccess').select('projectId').where('flavorId', '=', flavorId).orderBy('projectId').execute()).map((r) => r.projectId)

export const addAccess = (tx: ComputeTx, flavorId: string, projectId: string): Promise<void> =>
  insert(tx, 'computeFlavorAccess', { flavorId, projectId }, () => conflict(`Flavor access already exists for flavor ${flavorId} and project ${projectId} combination.`))

export const removeAccess = async (tx: ComputeTx, flavorId: string, projectId: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeFlavorAccess').where('flavorId', '=', flavorId).where('projectId', '=', projectId).executeTakeFirst()).numDeletedRows > 0n

/** What a server keeps of its flavor. */
export const snapshot = (f: Flavor): FlavorSnapshot => ({
  id: f.id, name: f.name, vcpus: f.vcpus, memoryMib: f.memoryMib, diskGib: f.diskGib, ephemeralGib: f.ephemeralGib, swapMib: f.swapMib, rxtxFactor: f.rxtxFactor, extraSpecs: f.extraSpecs,
})

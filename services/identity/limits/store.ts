// Rows of registered limits and of the limits that stand in their place.
import { conflict } from '#base/errors.ts'
import { change, inChunks, insert } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { matching, narrowed, rowsOf, type Term } from '../lists-store.ts'
import type { LimitRow, RegisteredLimitRow } from './schema.ts'

/** What a limit is about. */
export interface Subject { serviceId: string, regionId: string, resourceName: string }
/** A limit with what the registered one says. */
export type Limit = LimitRow & Subject

const taken = (type: string) => () => conflict(`Conflict occurred attempting to store ${type} - Duplicate entry.`)

export const { find: findRegistered, list: listRegistered, save: saveRegistered } = rowsOf<RegisteredLimitRow>('identityRegisteredLimits', taken('registered_limit'))
export const addRegistered = (tx: IdentityTx, rows: RegisteredLimitRow[]): Promise<void> =>
  insert(tx, 'identityRegisteredLimits', rows.map((row) => ({ ...row })), taken('registered_limit'))
export const removeRegistered = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityRegisteredLimits').where('id', '=', id).execute() }

/** The registered limits of these services. */
export const registeredOf = (tx: IdentityTx, serviceIds: string[]): Promise<RegisteredLimitRow[]> =>
  tx.db.selectFrom('identityRegisteredLimits').selectAll().where('serviceId', 'in', serviceIds).orderBy('id').execute()

/** Whoever else would look at what these limits' tree allows waits for the end of this transaction; always in the same order. */
export async function lock(tx: IdentityTx, registeredIds: Iterable<string>): Promise<void> {
  for (const id of [...new Set(registeredIds)].sort()) {
    await tx.db.updateTable('identityRegisteredLimits').set((eb) => ({ defaultLimit: eb.ref('defaultLimit') })).where('id', '=', id).execute()
  }
}
/** Whether any project or domain has a limit in its place. */
export const inUse = async (tx: IdentityTx, registeredId: string): Promise<boolean> =>
  await tx.db.selectFrom('identityLimits').select('id').where('registeredLimitId', '=', registeredId).limit(1).executeTakeFirst() !== undefined

const joined = (tx: IdentityTx) => tx.db.selectFrom('identityLimits as l').innerJoin('identityRegisteredLimits as r', 'r.id', 'l.registeredLimitId')
  .selectAll('l').select(['r.serviceId', 'r.regionId', 'r.resourceName'])

export const find = (tx: IdentityTx, id: string): Promise<Limit | undefined> => joined(tx).where('l.id', '=', id).executeTakeFirst()

/** `within` leaves only those of a project, or of a domain and its projects. */
export function list(tx: IdentityTx, terms: Term[], page: Page, within: { projectId?: string, domainId?: string } = {}): Promise<Limit[]> {
  let query = joined(tx)
  if (within.projectId !== undefined) query = query.where('l.projectId', '=', within.projectId)
  if (within.domainId !== undefined) {
    query = query.where((eb) => eb.or([eb('l.domainId', '=', within.domainId!), eb('l.projectId', 'in', eb.selectFrom('identityProjects')
      .select('id').where('domainId', '=', within.domainId!))]))
  }
  const ofRegistered = new Set(['serviceId', 'regionId', 'resourceName'])
  const [there, here] = [terms.filter((t) => ofRegistered.has(t.column)), terms.filter((t) => !ofRegistered.has(t.column))]
  return narrowed(tx, matching(tx, query, there, 'r'), here, page, 'l').execute()
}

/** What these projects have of their own. */
export async function byProject(tx: IdentityTx, projectIds: string[]): Promise<Map<string, Limit[]>> {
  const found: Limit[] = []
  for (const ids of inChunks(projectIds)) found.push(...await joined(tx).where('l.projectId', 'in', ids).orderBy('l.id').execute())
  return Map.groupBy(found, (limit) => limit.projectId)
}

export const add = (tx: IdentityTx, rows: LimitRow[]): Promise<void> => insert(tx, 'identityLimits', rows.map((row) => ({ ...row })), taken('limit'))
export const save = async (tx: IdentityTx, id: string, set: Partial<Pick<LimitRow, 'resourceLimit' | 'description'>>): Promise<void> => {
  await change(tx, 'identityLimits', { id }, set)
}
export const remove = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityLimits').where('id', '=', id).execute() }

/** What projects and domains have of these registered limits: the tree they must fit into. */
export const ofRegistered = (tx: IdentityTx, registeredIds: string[]): Promise<LimitRow[]> =>
  tx.db.selectFrom('identityLimits').selectAll().where('registeredLimitId', 'in', registeredIds).execute()

/** Those of projects and domains that are gone. */
export const removeOfOwners = async (tx: IdentityTx, ids: string[]): Promise<void> => {
  await tx.db.deleteFrom('identityLimits').where('projectId', 'in', ids).execute()
  await tx.db.deleteFrom('identityLimits').where('domainId', 'in', ids).execute()
}
/** With the limits that hang on them: their service or region goes. */
export async function removeRegisteredWhere(tx: IdentityTx, column: 'serviceId' | 'regionId', ids: string[]): Promise<void> {
  await tx.db.deleteFrom('identityLimits').where('registeredLimitId', 'in', tx.db.selectFrom('identityRegisteredLimits').select('id').where(column, 'in', ids)).execute()
  await tx.db.deleteFrom('identityRegisteredLimits').where(column, 'in', ids).execute()
}

/** What holds for a project at the services of a type, by resource: its own limit, or the registered one. */
export async function effective(tx: IdentityTx, projectId: string, serviceType: string, regionId: string | undefined): Promise<Map<string, number>> {
  const rows = await tx.db.selectFrom('identityServices as s').innerJoin('identityRegisteredLimits as r', 'r.serviceId', 's.id')
    .leftJoin('identityLimits as l', (j) => j.onRef('l.registeredLimitId', '=', 'r.id').on((eb) => eb.or([eb('l.projectId', '=', projectId), eb('l.domainId', '=', projectId)])))
    .select(['r.resourceName', 'r.regionId', 'r.defaultLimit', 'l.resourceLimit']).where('s.type', '=', serviceType)
    .$if(regionId !== undefined, (q) => q.where('r.regionId', 'in', ['', regionId!])).orderBy('r.regionId').orderBy('r.id').execute()
  // What is registered for the region comes last and counts; without a region asked for, what is registered for all does.
  const found = new Map<string, number>()
  for (const row of regionId === undefined ? rows.toReversed() : rows) found.set(row.resourceName, Number(row.resourceLimit ?? row.defaultLimit))
  return found
}

// Rows of roles and which imply which.
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { taken } from '../faults.ts'
import type { Page } from '../fields.ts'
import { narrowed, rowsOf, type Term } from '../lists-store.ts'
import type { RoleRow } from '../schema.ts'

/** Whoever has the prior role has the implied one. */
export interface Inference { priorRoleId: string, impliedRoleId: string }

/** Roles of one domain, or with an empty id those of none. */
export function list(tx: IdentityTx, filter: { terms?: Term[], name?: string, domainId: string }, page: Page = {}): Promise<RoleRow[]> {
  let query = tx.db.selectFrom('identityRoles').selectAll().where('domainId', '=', filter.domainId)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  return narrowed(tx, query, filter.terms, page).execute()
}

export const all = (tx: IdentityTx): Promise<RoleRow[]> => tx.db.selectFrom('identityRoles').selectAll().orderBy('id').execute()

/** The ids of roles that belong to a domain. */
export const special = async (tx: IdentityTx): Promise<Set<string>> =>
  new Set((await tx.db.selectFrom('identityRoles').select('id').where('domainId', '<>', '').execute()).map((r) => r.id))

export const { find, add, save } = rowsOf<RoleRow>('identityRoles', (row) => taken('role', row.name, row.domainId || undefined))

/** With their assignments and what they imply. */
export async function remove(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.db.deleteFrom('identityAssignments').where('roleId', 'in', ids).execute()
  await tx.db.deleteFrom('identityImpliedRoles').where('priorRoleId', 'in', ids).execute()
  await tx.db.deleteFrom('identityImpliedRoles').where('impliedRoleId', 'in', ids).execute()
  await tx.db.deleteFrom('identityRoles').where('id', 'in', ids).execute()
}

export const inferences = (tx: IdentityTx): Promise<Inference[]> => tx.db.selectFrom('identityImpliedRoles').selectAll().execute()
export const imply = (tx: IdentityTx, inference: Inference): Promise<boolean> => insertIfAbsent(tx, 'identityImpliedRoles', { ...inference })
export const implies = async (tx: IdentityTx, { priorRoleId, impliedRoleId }: Inference): Promise<boolean> =>
  await tx.db.selectFrom('identityImpliedRoles').select('priorRoleId').where('priorRoleId', '=', priorRoleId)
    .where('impliedRoleId', '=', impliedRoleId).executeTakeFirst() !== undefined
export const unimply = async (tx: IdentityTx, { priorRoleId, impliedRoleId }: Inference): Promise<boolean> =>
  Number((await tx.db.deleteFrom('identityImpliedRoles').where('priorRoleId', '=', priorRoleId).where('impliedRoleId', '=', impliedRoleId).executeTakeFirst()).numDeletedRows) > 0

/** Everything a role implies, directly or not. */
export function impliedBy(roleId: string, all: Inference[], found = new Set<string>()): Set<string> {
  for (const { priorRoleId, impliedRoleId } of all) {
    if (priorRoleId !== roleId || found.has(impliedRoleId)) continue
    found.add(impliedRoleId)
    impliedBy(impliedRoleId, all, found)
  }
  return found
}

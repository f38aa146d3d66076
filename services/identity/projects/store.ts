// Rows of projects.
import { insert } from '#kit/store/rows.ts'
import { conflict } from '#base/errors.ts'
import type { IdentityTx } from '../deps.ts'
import type { ProjectRow } from '../schema.ts'

export interface ProjectFilter { name?: string, domainId?: string, parentId?: string, enabled?: boolean, isDomain: boolean }

export const find = (tx: IdentityTx, id: string): Promise<ProjectRow | undefined> =>
  tx.db.selectFrom('identityProjects').selectAll().where('id', '=', id).executeTakeFirst()

export function list(tx: IdentityTx, filter: ProjectFilter): Promise<ProjectRow[]> {
  let query = tx.db.selectFrom('identityProjects').selectAll().where('isDomain', '=', filter.isDomain ? 1 : 0)
  if (filter.name !== undefined) query = query.where('name', '=', filter.name)
  if (filter.domainId !== undefined) query = query.where('domainId', '=', filter.domainId)
  if (filter.parentId !== undefined) query = query.where('parentId', '=', filter.parentId)
  if (filter.enabled !== undefined) query = query.where('enabled', '=', filter.enabled ? 1 : 0)
  return query.orderBy('id').execute()
}

export const add = (tx: IdentityTx, row: ProjectRow): Promise<void> =>
  insert(tx, 'identityProjects', { ...row }, () => conflict(`Conflict occurred attempting to store project - it is not permitted to have two projects with the same name in the same domain: ${row.name}.`))

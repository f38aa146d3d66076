// Rows of projects and domains, and projects' tags.
import { conflict } from '#base/errors.ts'
import * as endpointFilter from '../endpoint-filter/store.ts'
import * as limits from '../limits/store.ts'
import { inChunks, insert, replace } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import { removeDelegationsIn } from '../trusts/owners-store.ts'
import { removeTokens } from '../oauth1/store.ts'
import type { ProjectRow } from '../schema.ts'

export type TaggedProject = ProjectRow & { tags: string[] }
/** With all of `tags`, with one of `tagsAny`, and the opposites of both. */
export interface TagFilter { tags?: string[], tagsAny?: string[], notTags?: string[], notTagsAny?: string[] }
export interface ProjectFilter extends TagFilter { terms?: Term[], name?: string, domainId?: string, /** Both kinds, if not said. */ isDomain?: boolean }

/** The rows with their tags: one more query, however many there are. */
export async function tagsOf(tx: IdentityTx, rows: ProjectRow[]): Promise<TaggedProject[]> {
  const tagged = new Map(rows.map((row): [string, TaggedProject] => [row.id, { ...row, tags: [] }]))
  if (rows.length > 0) {
    let query = tx.db.selectFrom('identityProjectTags').selectAll()
    if (rows.length <= 200) query = query.where('projectId', 'in', rows.map((r) => r.id))
    for (const { projectId, name } of await query.orderBy('name').execute()) tagged.get(projectId)?.tags.push(name)
  }
  return [...tagged.values()]
}

/** A project or a domain. */
export async function find(tx: IdentityTx, id: string): Promise<TaggedProject | undefined> {
  const row = await tx.db.selectFrom('identityProjects').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await tagsOf(tx, [row]))[0]
}

export const findDomain = (tx: IdentityTx, id: string): Promise<ProjectRow | undefined> =>
  tx.db.selectFrom('identityProjects').selectAll().where('id', '=', id).where('isDomain', '=', 1).executeTakeFirst()

/** Projects and domains in the order of their ids, tags included. */
export async function list(tx: IdentityTx, filter: ProjectFilter, page: Page = {}): Promise<TaggedProject[]> {
  let query = tx.db.selectFrom('identityProjects as p').selectAll('p')
  if (filter.isDomain !== undefined) query = query.where('p.isDomain', '=', filter.isDomain ? 1 : 0)
  if (filter.name !== undefined) query = query.where('p.name', '=', filter.name)
  if (filter.domainId !== undefined) query = query.where('p.domainId', '=', filter.domainId)
  const withAny = (names: string[]) => tx.db.selectFrom('identityProjectTags').select('projectId').where('name', 'in', names)
  const withAll = (names: string[]) => withAny(names).groupBy('projectId').having((eb) => eb.fn.countAll(), '=', names.length)
  if (filter.tags) query = query.where('p.id', 'in', withAll(filter.tags))
  if (filter.tagsAny) query = query.where('p.id', 'in', withAny(filter.tagsAny))
  if (filter.notTags) query = query.where('p.id', 'not in', withAll(filter.notTags))
  if (filter.notTagsAny) query = query.where('p.id', 'not in', withAny(filter.notTagsAny))
  return tagsOf(tx, await narrowed(tx, query, filter.terms, page, 'p').execute())
}

const taken = (row: Pick<ProjectRow, 'name' | 'isDomain'>) => () => conflict(row.isDomain
  ? `Conflict occurred attempting to store domain - it is not permitted to have two domains with the same name: ${row.name}.`
  : `Conflict occurred attempting to store project - it is not permitted to have two projects with the same name in the same domain: ${row.name}.`)

/** Throws a conflict when another one of the domain has the name. */
export async function add(tx: IdentityTx, { tags, ...row }: TaggedProject): Promise<void> {
  await insert(tx, 'identityProjects', row, taken(row))
  await setTags(tx, row.id, tags)
}

/** Others who would change the project wait for the end of this transaction. */
export async function lock(tx: IdentityTx, id: string): Promise<void> {
  await tx.db.updateTable('identityProjects').set((eb) => ({ generation: eb.ref('generation') })).where('id', '=', id).execute()
}

export async function setTags(tx: IdentityTx, projectId: string, names: string[]): Promise<void> {
  await tx.db.deleteFrom('identityProjectTags').where('projectId', '=', projectId).execute()
  if (names.length > 0) await insert(tx, 'identityProjectTags', names.map((name) => ({ projectId, name })))
}

/** Writes what differs. Throws a conflict when somebody else was faster, or has the name. */
export async function save(tx: IdentityTx, { tags: hadTags, ...was }: TaggedProject, { tags, ...row }: TaggedProject): Promise<void> {
  await replace(tx, 'identityProjects', was, row, taken(row))
  if (tags !== hadTags) await setTags(tx, row.id, tags)
}

export const hasChildren = async (tx: IdentityTx, id: string): Promise<boolean> =>
  await tx.db.selectFrom('identityProjects').select('id').where('parentId', '=', id).limit(1).executeTakeFirst() !== undefined

/** The project and everything that hung on it. */
export async function remove(tx: IdentityTx, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.db.deleteFrom('identityAssignments').where('targetId', 'in', ids).where('targetType', 'in', ['project', 'domain']).execute()
  await tx.db.deleteFrom('identityApplicationCredentials').where('projectId', 'in', ids).execute()
  await tx.db.deleteFrom('identityProjectTags').where('projectId', 'in', ids).execute()
  await limits.removeOfOwners(tx, ids)
  await endpointFilter.forgetProjects(tx, ids)
  await removeDelegationsIn(tx, ids)
  await removeTokens(tx, 'projectId', ids)
  await tx.db.updateTable('identityUsers').set({ defaultProjectId: null }).where('defaultProjectId', 'in', ids).execute()
  await tx.db.deleteFrom('identityProjects').where('id', 'in', ids).execute()
}

/** Where projects stand, of those that exist. */
export async function parentsOf(tx: IdentityTx, ids: string[]): Promise<Pick<ProjectRow, 'id' | 'parentId' | 'isDomain'>[]> {
  const rows: Pick<ProjectRow, 'id' | 'parentId' | 'isDomain'>[] = []
  for (const part of inChunks([...new Set(ids)])) rows.push(...await tx.db.selectFrom('identityProjects').select(['id', 'parentId', 'isDomain']).where('id', 'in', part).execute())
  return rows
}

/** All projects of one domain, for its tree: parents and children are found in it without a query each. */
export const ofDomain = async (tx: IdentityTx, domainId: string): Promise<TaggedProject[]> =>
  tagsOf(tx, await tx.db.selectFrom('identityProjects').selectAll().where('domainId', '=', domainId).orderBy('id').execute())

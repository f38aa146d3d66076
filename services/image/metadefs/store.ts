// Rows of namespaces and of what is defined in them.
import { conflict, overQuota } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert, insertIfAbsent } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import { page, type Page } from '../page-store.ts'
import type { DefinitionRow, Kind, NamespaceRow, ResourceTypeRow } from './schema.ts'

export const findNamespace = (tx: ImageTx, namespace: string): Promise<NamespaceRow | undefined> =>
  tx.db.selectFrom('imageNamespaces').selectAll().where('namespace', '=', namespace).executeTakeFirst()

/** What a list is narrowed to. */
export interface NamespaceQuery {
  /** Undefined: an administrator, who sees all. */
  projectId?: string
  visibility?: NamespaceRow['visibility']
  /** Only those associated with one of these. */
  resourceTypes?: string[]
  page: Page<'namespace' | 'createdAt' | 'updatedAt' | 'id'>
}
export async function listNamespaces(tx: ImageTx, q: NamespaceQuery): Promise<NamespaceRow[]> {
  let query = tx.db.selectFrom('imageNamespaces').selectAll()
  if (q.projectId !== undefined) {
    query = query.where((eb) => eb.or([eb('visibility', '=', 'public'), eb('ownerId', '=', q.projectId!), eb('ownerId', 'is', null)]))
  }
  if (q.visibility) query = query.where('visibility', '=', q.visibility)
  if (q.resourceTypes) {
    const associated = tx.db.selectFrom('imageDefinitions').select('namespaceId').where('kind', '=', 'resource_type').where('name', 'in', q.resourceTypes)
    query = query.where('id', 'in', associated)
  }
  return page(query, q.page).execute()
}

const taken = (namespace: string) => () => conflict(`The metadata definition namespace=${namespace} already exists.`)
export const addNamespace = (tx: ImageTx, row: NamespaceRow): Promise<void> => insert(tx, 'imageNamespaces', { ...row }, taken(row.namespace))

/** Throws a conflict when another one has the name. */
export async function updateNamespace(tx: ImageTx, id: string, set: Partial<NamespaceRow> & { namespace: string }): Promise<void> {
  // Looked at first: a statement that fails ends PostgreSQL's transaction.
  const other = await findNamespace(tx, set.namespace)
  if (other && other.id !== id) throw taken(set.namespace)()
  await change(tx, 'imageNamespaces', { id }, { ...set, updatedAt: now() })
}

/** With all that lies in it. */
export async function removeNamespace(tx: ImageTx, id: string): Promise<void> {
  await tx.db.deleteFrom('imageDefinitions').where('namespaceId', '=', id).execute()
  await tx.db.deleteFrom('imageNamespaces').where('id', '=', id).execute()
}

/** What kinds are listed; without a page all of them, by name. */
export interface DefinitionQuery {
  kinds: Kind[]
  page?: Page<'name' | 'createdAt' | 'updatedAt'>
}
/** Of one namespace or of many, by one query. */
export async function list(tx: ImageTx, namespaceIds: string[], { kinds, page: of }: DefinitionQuery): Promise<DefinitionRow[]> {
  if (namespaceIds.length === 0) return []
  const query = tx.db.selectFrom('imageDefinitions').selectAll().where('namespaceId', 'in', namespaceIds).where('kind', 'in', kinds)
  return of ? page(query, of).execute() : query.orderBy('name').execute()
}
export const find = (tx: ImageTx, namespaceId: string, kind: Kind, name: string): Promise<DefinitionRow | undefined> =>
  tx.db.selectFrom('imageDefinitions').selectAll().where('namespaceId', '=', namespaceId).where('kind', '=', kind).where('name', '=', name).executeTakeFirst()

/** The largest number of definitions of all kinds in one namespace. */
const mostDefinitions = 5000
export type NewDefinition = Pick<DefinitionRow, 'kind' | 'name' | 'definition'>

/** Adds definitions; a name that is there already is a Conflict. A resource type nobody named before comes to be. */
export async function add(tx: ImageTx, { id, namespace }: Pick<NamespaceRow, 'id' | 'namespace'>, definitions: NewDefinition[]): Promise<DefinitionRow[]> {
  if (definitions.length === 0) return []
  const { n } = await tx.db.selectFrom('imageDefinitions').select(({ fn }) => fn.countAll().as('n')).where('namespaceId', '=', id).executeTakeFirstOrThrow()
  if (Number(n) + definitions.length > mostDefinitions) throw overQuota(`A namespace may hold at most ${mostDefinitions} definitions.`)
  const at = now()
  const rows = definitions.map((definition): DefinitionRow => ({ namespaceId: id, ...definition, createdAt: at, updatedAt: at }))
  await insert(tx, 'imageDefinitions', rows.map((row) => ({ ...row })), () => conflict(definitions.length === 1
    ? `A metadata definition ${definitions[0]!.kind} with name=${definitions[0]!.name} already exists in namespace=${namespace}.`
    : `Metadata definitions of the same kind and name exist already in namespace=${namespace}, or were given twice.`))
  for (const { kind, name } of rows) if (kind === 'resource_type') await insertIfAbsent(tx, 'imageResourceTypes', { name, createdAt: at, updatedAt: at })
  return rows
}

/** Replaces a definition, under another name if it says so. */
export async function replace(tx: ImageTx, was: DefinitionRow, { name, definition }: Pick<DefinitionRow, 'name' | 'definition'>): Promise<DefinitionRow> {
  const { namespaceId, kind } = was
  if (name !== was.name && await find(tx, namespaceId, kind, name)) {
    throw conflict(`Invalid update. It would result in a duplicate metadata definition ${kind} with the same name of ${name}.`)
  }
  const shall = { ...was, name, definition, updatedAt: now() }
  await change(tx, 'imageDefinitions', { namespaceId, kind, name: was.name }, { name, definition, updatedAt: shall.updatedAt })
  return shall
}

/** Removes one definition, or without a name all of that kind; answers how many. */
export async function remove(tx: ImageTx, namespaceId: string, kind: Kind, name?: string): Promise<number> {
  const query = tx.db.deleteFrom('imageDefinitions').where('namespaceId', '=', namespaceId).where('kind', '=', kind)
  return Number((await (name === undefined ? query : query.where('name', '=', name)).executeTakeFirst()).numDeletedRows)
}

export const listResourceTypes = (tx: ImageTx): Promise<ResourceTypeRow[]> => tx.db.selectFrom('imageResourceTypes').selectAll().orderBy('name').limit(1000).execute()

// What the generic operations need to know of a collection.
import type { Context } from '#base/context.ts'
import type { Rule } from '#kit/policy/rules.ts'
import type { Deps, NetworkTx, QuotaResource } from '../deps.ts'
import type { NetTarget } from '../policy.ts'
import type { NetworkTables, Standard } from '../schema.ts'
import { free, readOnly, once, type Attributes } from './attributes.ts'
import { projectId, shown, shownInteger, text } from './kinds.ts'
import type { Filters, Visible } from './store.ts'

/** A row with what the rules look at. */
export interface Found<R> { row: R, owner: NetTarget }

export interface Noun<R extends Standard = any, A extends Attributes = Attributes> {
  /** `security_group`: the body's key. */
  one: string
  /** `security_groups` */
  many: string
  /** `/security-groups` */
  path: string
  /** `SecurityGroup`, `SecurityGroups`: operations are called createSecurityGroup, listSecurityGroups. */
  title: string
  titles: string
  table: keyof NetworkTables
  attributes: A
  /** Filters that are no simple column. */
  filters: Filters
  /** Narrows a list to what a caller who is no administrator may see. */
  visible: Visible
  /** Who may know that one exists; who may change or remove it. */
  reads: Rule
  changes: Rule
  missing(id: string): Error
  /** The row with its owner, in one or two queries. */
  find(tx: NetworkTx, id: string): Promise<Found<R> | undefined>
  /** Wire shapes in the rows' order, with a constant number of queries. */
  view(tx: NetworkTx, rows: R[], deps: Deps): Promise<Record<string, unknown>[]>
  quota?: QuotaResource
  /** Before a list is read: the default security group appears here. */
  beforeList?(ctx: Context, deps: Deps): Promise<void>
}

/** Attributes that every resource has. */
export const standardAttributes = {
  id: readOnly(shown, { column: 'id' }),
  name: free(text(), { column: 'name', fallback: '' }),
  description: free(text(), { column: 'description', fallback: '' }),
  project_id: once(projectId, { column: 'projectId' }),
  tenant_id: once(projectId, { column: 'projectId' }),
  revision_number: readOnly(shownInteger, { column: 'revision' }),
  created_at: readOnly(shown, { column: 'createdAt' }),
  updated_at: readOnly(shown, { column: 'updatedAt' }),
} as const

/** Resources that carry tags can be filtered by them. */
export const tagAttributes = {
  'tags': readOnly(shown, { filter: true }), 'tags-any': readOnly(shown, { filter: true }), 'not-tags': readOnly(shown, { filter: true }), 'not-tags-any': readOnly(shown, { filter: true }),
} as const

/** Neutron writes whole seconds. */
const seconds = (at: string): string => `${at.slice(0, 19)}Z`
export const standardView = (row: Standard & { name?: string }): Record<string, unknown> => ({
  id: row.id, ...(row.name !== undefined && { name: row.name }), tenant_id: row.projectId, project_id: row.projectId, description: row.description,
  revision_number: row.revision, created_at: seconds(row.createdAt), updated_at: seconds(row.updatedAt),
})

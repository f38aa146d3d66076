// Rows of endpoint groups, and which endpoints projects are shown.
import type { ExpressionBuilder } from 'kysely'
import type { IdentityTx } from '../deps.ts'
import { rowsOf } from '../lists-store.ts'
import type { EndpointGroupRow } from '../policies/schema.ts'
import type { EndpointRow, IdentityTables, ProjectRow } from '../schema.ts'

export const { find, list, add, save } = rowsOf<EndpointGroupRow>('identityEndpointGroups')
/** With its associations. */
export async function remove(tx: IdentityTx, id: string): Promise<void> {
  await tx.db.deleteFrom('identityProjectEndpointGroups').where('endpointGroupId', '=', id).execute()
  await tx.db.deleteFrom('identityEndpointGroups').where('id', '=', id).execute()
}

/** The groups whose endpoints a project sees. */
export const groupsOf = (tx: IdentityTx, projectId: string): Promise<EndpointGroupRow[]> => tx.db.selectFrom('identityEndpointGroups').selectAll()
  .where('id', 'in', tx.db.selectFrom('identityProjectEndpointGroups').select('endpointGroupId').where('projectId', '=', projectId)).orderBy('id').execute()
/** The projects that see an endpoint by its own association, or a group's. */
export function projectsOf(tx: IdentityTx, of: { endpointId: string } | { endpointGroupId: string }): Promise<ProjectRow[]> {
  const ids = 'endpointId' in of
    ? tx.db.selectFrom('identityProjectEndpoints').select('projectId').where('endpointId', '=', of.endpointId)
    : tx.db.selectFrom('identityProjectEndpointGroups').select('projectId').where('endpointGroupId', '=', of.endpointGroupId)
  return tx.db.selectFrom('identityProjects').selectAll().where('id', 'in', ids).orderBy('id').execute()
}

/** An endpoint must have all of these to belong to the group. */
export interface GroupFilters { interface?: string, service_id?: string, region_id?: string | null, enabled?: boolean }
type Filtered = Pick<EndpointRow, 'interface' | 'serviceId' | 'regionId' | 'enabled'>
/** Whether an endpoint belongs to a group with these filters. */
export const fits = (endpoint: Filtered, filters: GroupFilters): boolean =>
  (filters.interface === undefined || filters.interface === endpoint.interface) && (filters.service_id === undefined || filters.service_id === endpoint.serviceId)
  && (filters.region_id === undefined || filters.region_id === endpoint.regionId) && (filters.enabled === undefined || filters.enabled === (endpoint.enabled === 1))

export const allEndpoints = (tx: IdentityTx): Promise<EndpointRow[]> => tx.db.selectFrom('identityEndpoints').selectAll().orderBy('id').execute()

/** Whether anybody has ever said what the project sees: without a word it sees all. To be asked along with something else. */
export const isFiltered = (eb: ExpressionBuilder<IdentityTables, any>, projectId: string) => eb.or([
  eb.exists(eb.selectFrom('identityProjectEndpoints').select('endpointId').where('projectId', '=', projectId)),
  eb.exists(eb.selectFrom('identityProjectEndpointGroups').select('endpointGroupId').where('projectId', '=', projectId)),
])

/** Says of an endpoint whether the project sees it; undefined when nobody has ever said anything of this project: then it sees all. One query. */
export async function sightOf(tx: IdentityTx, projectId: string): Promise<((endpoint: Filtered & { id: string }) => boolean) | undefined> {
  const rows = await tx.db.selectFrom('identityProjectEndpoints').select(['endpointId as id'])
    .select((eb) => eb.val<string | null>(null).as('filters')).where('projectId', '=', projectId)
    .unionAll(tx.db.selectFrom('identityProjectEndpointGroups as p').innerJoin('identityEndpointGroups as g', 'g.id', 'p.endpointGroupId')
      .select(['g.id as id', 'g.filters as filters']).where('p.projectId', '=', projectId)).execute()
  if (rows.length === 0) return undefined
  const ids = new Set(rows.filter((r) => r.filters === null).map((r) => r.id))
  const groups = rows.filter((r) => r.filters !== null).map((r) => JSON.parse(r.filters!) as GroupFilters)
  return (endpoint) => ids.has(endpoint.id) || groups.some((filters) => fits(endpoint, filters))
}

/** What was said of projects that are gone. */
export const forgetProjects = async (tx: IdentityTx, ids: string[]): Promise<void> => {
  await tx.db.deleteFrom('identityProjectEndpoints').where('projectId', 'in', ids).execute()
  await tx.db.deleteFrom('identityProjectEndpointGroups').where('projectId', 'in', ids).execute()
}
/** What was said of endpoints that are gone. */
export const forgetEndpoints = async (tx: IdentityTx, ids: string[]): Promise<void> => {
  await tx.db.deleteFrom('identityProjectEndpoints').where('endpointId', 'in', ids).execute()
}

// https://docs.openstack.org/api-ref/identity/v3/#unified-limits
import type { RegisteredLimitRow } from './schema.ts'
import type { Limit } from './store.ts'

export const registeredLimitView = (row: RegisteredLimitRow, api: string): object => ({
  id: row.id, service_id: row.serviceId, region_id: row.regionId || null, resource_name: row.resourceName, default_limit: Number(row.defaultLimit), description: row.description,
  links: { self: `${api}/registered_limits/${row.id}` },
})

export const limitView = (row: Limit, api: string): object => ({
  id: row.id, project_id: row.projectId || null, domain_id: row.domainId || null, service_id: row.serviceId, region_id: row.regionId || null, resource_name: row.resourceName,
  resource_limit: Number(row.resourceLimit), description: row.description, links: { self: `${api}/limits/${row.id}` },
})

// https://docs.openstack.org/api-ref/identity/v3/#service-catalog-and-endpoints
import type { EndpointRow, RegionRow, ServiceRow } from '../schema.ts'

export const regionView = (row: RegionRow, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, description: row.description, parent_region_id: row.parentRegionId,
  links: { self: `${api}/regions/${encodeURIComponent(row.id)}` },
})

export const serviceView = (row: ServiceRow, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, type: row.type, enabled: row.enabled === 1,
  ...(row.name !== null && { name: row.name }), ...(row.description !== null && { description: row.description }),
  links: { self: `${api}/services/${row.id}` },
})

export const endpointView = (row: EndpointRow, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, interface: row.interface, service_id: row.serviceId,
  region_id: row.regionId, region: row.regionId, url: row.url, enabled: row.enabled === 1,
  links: { self: `${api}/endpoints/${row.id}` },
})

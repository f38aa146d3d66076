import type { ProjectRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#projects */
export const projectView = (row: ProjectRow, api: string): object => ({
  ...JSON.parse(row.extra) as object,
  id: row.id, name: row.name, domain_id: row.domainId, parent_id: row.parentId, description: row.description,
  enabled: row.enabled === 1, is_domain: row.isDomain === 1, tags: [], options: {},
  links: { self: `${api}/projects/${row.id}` },
})

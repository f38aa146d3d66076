import type { ProjectRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#domains */
export const domainView = (row: ProjectRow & { tags?: string[] }, api: string): object => ({
  ...JSON.parse(row.extra) as object,
  id: row.id, name: row.name, description: row.description, enabled: row.enabled === 1, tags: row.tags ?? [], options: JSON.parse(row.options) as object,
  links: { self: `${api}/domains/${row.id}` },
})

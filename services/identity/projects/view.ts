import type { TaggedProject } from './store.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#projects */
export const projectView = (row: TaggedProject, api: string): object => ({
  ...JSON.parse(row.extra) as object,
  id: row.id, name: row.name, domain_id: row.domainId || null, parent_id: row.parentId, description: row.description,
  enabled: row.enabled === 1, is_domain: row.isDomain === 1, tags: row.tags, options: JSON.parse(row.options) as object,
  links: { self: `${api}/projects/${row.id}` },
})

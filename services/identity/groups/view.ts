import type { GroupRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#groups */
export const groupView = (row: GroupRow, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, name: row.name, domain_id: row.domainId, description: row.description, links: { self: `${api}/groups/${row.id}` },
})

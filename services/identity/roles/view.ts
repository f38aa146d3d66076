import type { RoleRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#roles */
export const roleView = (row: RoleRow, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, name: row.name, domain_id: row.domainId || null, description: row.description, options: JSON.parse(row.options) as object,
  links: { self: `${api}/roles/${row.id}` },
})

/** A role where one role implies another. */
export const roleInInference = (row: RoleRow, api: string): object => ({ id: row.id, name: row.name, description: row.description, links: { self: `${api}/roles/${row.id}` } })

import type { UserRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#users */
export const userView = (row: UserRow, api: string): object => ({
  ...JSON.parse(row.extra) as object,
  id: row.id, name: row.name, domain_id: row.domainId, enabled: row.enabled === 1, ...(row.defaultProjectId && { default_project_id: row.defaultProjectId }),
  password_expires_at: row.passwordExpiresAt && `${row.passwordExpiresAt.slice(0, 23)}000`, options: JSON.parse(row.options) as object,
  links: { self: `${api}/users/${row.id}` },
})

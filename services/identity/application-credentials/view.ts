import { ruleView } from '../access-rules/view.ts'
import type { ApplicationCredentialRow } from '../schema.ts'
import type { Said } from './store.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#application-credentials. The secret is shown once, when it is made. */
export const credentialView = (row: ApplicationCredentialRow, { roles, rules }: Said, api: string, secret?: string): object => ({
  id: row.id, name: row.name, description: row.description, user_id: row.userId, project_id: row.projectId, system: null, expires_at: row.expiresAt && row.expiresAt.slice(0, 26), unrestricted: row.unrestricted === 1,
  roles: (JSON.parse(row.roleIds) as string[]).flatMap((id) => { const role = roles.get(id); return role ? [{ id, name: role.name, domain_id: role.domainId || null, description: role.description, options: JSON.parse(role.options) as object }] : [] }),
  ...(rules.has(row.id) && { access_rules: rules.get(row.id)!.map(ruleView) }),
  ...(secret !== undefined && { secret }),
  links: { self: `${api}/users/${row.userId}/application_credentials/${row.id}` },
})

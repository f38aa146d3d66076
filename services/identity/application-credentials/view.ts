import { ruleView } from '../access-rules/view.ts'
import type { ApplicationCredentialRow, RoleRow } from '../schema.ts'
import type { Said } from './store.ts'

const roleView = ({ id, name, domainId, description, options }: RoleRow): object =>
  ({ id, name, domain_id: domainId || null, description, options: JSON.parse(options) as object })
/** https://docs.openstack.org/api-ref/identity/v3/#application-credentials. The secret is shown once, when it is made. */
export const credentialView = (row: ApplicationCredentialRow, { roles, rules }: Said, api: string, secret?: string): object => ({
  id: row.id, name: row.name, description: row.description, user_id: row.userId, project_id: row.projectId, system: null,
  expires_at: row.expiresAt && row.expiresAt.slice(0, 26), unrestricted: row.unrestricted === 1,
  roles: (JSON.parse(row.roleIds) as string[]).flatMap((id) => roles.get(id) ?? []).map(roleView),
  ...(rules.has(row.id) && { access_rules: rules.get(row.id)!.map(ruleView) }),
  ...(secret !== undefined && { secret }),
  links: { self: `${api}/users/${row.userId}/application_credentials/${row.id}` },
})

import { roleView } from '../roles/view.ts'
import type { RoleRow, TrustRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3-ext/#os-trust-api. Lists leave the roles out. */
export const trustView = (row: TrustRow, api: string, roles?: RoleRow[]): object => ({
  id: row.id, trustor_user_id: row.trustorUserId, trustee_user_id: row.trusteeUserId, project_id: row.projectId, impersonation: row.impersonation === 1, expires_at: row.expiresAt,
  remaining_uses: row.remainingUses, deleted_at: row.deletedAt, redelegated_trust_id: row.redelegatedTrustId, redelegation_count: row.redelegationCount,
  ...(roles && { roles: roles.map((role) => roleView(role, api)), roles_links: rolesLinks(row, api) }),
  links: { self: `${api}/OS-TRUST/trusts/${row.id}` },
})

export const rolesLinks = (row: TrustRow, api: string): object => ({ self: `${api}/OS-TRUST/trusts/${row.id}/roles`, next: null, previous: null })

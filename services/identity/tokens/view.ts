// Tokens on the wire: https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
import type { Subject } from '../authenticate.ts'
import type { ServiceProviderRow } from '../federation/schema.ts'
import { ruleView } from '../access-rules/view.ts'
import { actingUser, type Person } from './standing-store.ts'
import type { CatalogEntry } from '../catalog/entries-store.ts'

/** keystone's instants: whole seconds, written with microseconds. */
const instant = (atSeconds: number): string => `${new Date(atSeconds * 1000).toISOString().slice(0, 19)}.000000Z`

/** Without `catalog` for who does not want it. */
export function tokenView({ claims, standing }: Subject, catalog: CatalogEntry[] | undefined, serviceProviders: ServiceProviderRow[] = []): object {
  const user = actingUser(standing)
  const { scope, roles, applicationCredential, trust } = standing
  const groups = standing.federation?.groupIds.map((id) => ({ id }))
  return {
    methods: claims.methods,
    user: { domain: { id: user.domainId, name: user.domainName }, id: user.id, name: user.name, ...(claims.identityProviderId && user === standing.user
      ? { 'OS-FEDERATION': { groups: groups!, identity_provider: { id: claims.identityProviderId }, protocol: { id: claims.protocolId } } }
      : { password_expires_at: user.passwordExpiresAt && `${user.passwordExpiresAt.slice(0, 23)}000` }) },
    audit_ids: claims.auditIds,
    expires_at: instant(claims.expiresAtSeconds),
    issued_at: instant(claims.issuedAtSeconds),
    ...(claims.scope.kind === 'project' && {
      project: { domain: { id: scope!.domainId, name: scope!.domainName }, id: scope!.id, name: scope!.name },
      ...(!trust && { is_domain: scope!.isDomain }),
    }),
    ...(claims.scope.kind === 'domain' && { domain: { id: scope!.id, name: scope!.name } }),
    ...(claims.scope.kind === 'system' && { system: { all: true } }),
    ...(claims.scope.kind !== 'unscoped' && { roles: roles.map(({ id, name }) => ({ id, name })) }),
    ...(catalog && { catalog }),
    ...(standing.accessToken && { 'OS-OAUTH1': { access_token_id: standing.accessToken.id, consumer_id: standing.accessToken.consumerId } }),
    ...(claims.certificateThumbprint && { oauth2_credential: { 'x5t#S256': claims.certificateThumbprint } }),
    ...(serviceProviders.length > 0 && { service_providers: serviceProviders.map((sp) => ({ id: sp.id, auth_url: sp.authUrl, sp_url: sp.spUrl })) }),
    ...(trust && { 'OS-TRUST:trust': { id: trust.id, trustor_user: { id: trust.trustor.id }, trustee_user: { id: trust.trusteeUserId }, impersonation: trust.impersonation } }),
    ...(applicationCredential && { application_credential: {
      id: applicationCredential.id, name: applicationCredential.name, restricted: !applicationCredential.unrestricted,
      ...(applicationCredential.accessRules.length > 0 && { access_rules: applicationCredential.accessRules.map(ruleView) }),
    } }),
  }
}

/** https://docs.openstack.org/api-ref/identity/v3/#authentication-receipts, beside how to go on */
export const receiptView = (user: Person, methods: string[], required: string[][], issuedAtSeconds: number, expiresAtSeconds: number): object => ({
  receipt: {
    methods, user: { id: user.id, name: user.name, domain: { id: user.domainId, name: user.domainName } },
    expires_at: instant(expiresAtSeconds), issued_at: instant(issuedAtSeconds),
  },
  required_auth_methods: required,
})

// The JSON home document: where each resource is, by its relation's name in keystone's reference. Only what is built is in it.
// https://datatracker.ietf.org/doc/html/draft-nottingham-json-home-03

/** By extension ('' for the core): relation, and path below the version's prefix. */
const relations: Record<string, string> = {
  '': `
    auth_tokens /auth/tokens
    auth_catalog /auth/catalog
    auth_projects /auth/projects
    auth_domains /auth/domains
    auth_system /auth/system
    credential /credentials/{credential_id}
    credentials /credentials
    system_user_role /system/users/{user_id}/roles/{role_id}
    system_user_roles /system/users/{user_id}/roles
    system_group_role /system/groups/{group_id}/roles/{role_id}
    system_group_roles /system/groups/{group_id}/roles
    domain /domains/{domain_id}
    domain_group_role /domains/{domain_id}/groups/{group_id}/roles/{role_id}
    domain_group_roles /domains/{domain_id}/groups/{group_id}/roles
    domain_user_role /domains/{domain_id}/users/{user_id}/roles/{role_id}
    domain_user_roles /domains/{domain_id}/users/{user_id}/roles
    domains /domains
    endpoint /endpoints/{endpoint_id}
    endpoints /endpoints
    group /groups/{group_id}
    group_user /groups/{group_id}/users/{user_id}
    group_users /groups/{group_id}/users
    groups /groups
    policies /policies
    policy /policies/{policy_id}
    project /projects/{project_id}
    project_group_role /projects/{project_id}/groups/{group_id}/roles/{role_id}
    project_group_roles /projects/{project_id}/groups/{group_id}/roles
    project_tags /projects/{project_id}/tags/{value}
    project_user_role /projects/{project_id}/users/{user_id}/roles/{role_id}
    project_user_roles /projects/{project_id}/users/{user_id}/roles
    projects /projects
    region /regions/{region_id}
    regions /regions
    role /roles/{role_id}
    implied_roles /roles/{prior_role_id}/implies
    implied_role /roles/{prior_role_id}/implies/{implied_role_id}
    role_inferences /role_inferences
    role_assignments /role_assignments
    roles /roles
    service /services/{service_id}
    services /services
    user /users/{user_id}
    user_change_password /users/{user_id}/password
    user_groups /users/{user_id}/groups
    user_projects /users/{user_id}/projects
    users /users
    domain_config /domains/{domain_id}/config
    domain_config_group /domains/{domain_id}/config/{group}
    domain_config_option /domains/{domain_id}/config/{group}/{option}
    domain_config_default /domains/config/default
    domain_config_default_group /domains/config/{group}/default
    domain_config_default_option /domains/config/{group}/{option}/default
    registered_limits /registered_limits
    registered_limit /registered_limits/{registered_limit_id}
    limits /limits
    limit /limits/{limit_id}
    limit_model /limits/model
    application_credentials /users/{user_id}/application_credentials
    application_credential /users/{user_id}/application_credentials/{application_credential_id}
    access_rules /users/{user_id}/access_rules
    access_rule /users/{user_id}/access_rules/{access_rule_id}
  `,
  'OS-EC2': `
    ec2tokens /ec2tokens
    user_credential /users/{user_id}/credentials/OS-EC2/{credential_id}
    user_credentials /users/{user_id}/credentials/OS-EC2
  `,
  'OS-PKI': `
    revocations /auth/tokens/OS-PKI/revoked
  `,
  'OS-REVOKE': `
    events /OS-REVOKE/events
  `,
  'OS-SIMPLE-CERT': `
    ca_certificate /OS-SIMPLE-CERT/ca
    certificates /OS-SIMPLE-CERT/certificates
  `,
  'OS-TRUST': `
    trust /OS-TRUST/trusts/{trust_id}
    trust_role /OS-TRUST/trusts/{trust_id}/roles/{role_id}
    trust_roles /OS-TRUST/trusts/{trust_id}/roles
    trusts /OS-TRUST/trusts
  `,
  's3tokens': `
    s3tokens /s3tokens
  `,
  'OS-OAUTH2': `
    token /OS-OAUTH2/token
  `,
  'OS-FEDERATION': `
    domains /auth/domains
    websso /auth/OS-FEDERATION/websso/{protocol_id}
    projects /auth/projects
    saml2 /auth/OS-FEDERATION/saml2
    ecp /auth/OS-FEDERATION/saml2/ecp
    metadata /OS-FEDERATION/saml2/metadata
    identity_providers /OS-FEDERATION/identity_providers
    service_providers /OS-FEDERATION/service_providers
    mappings /OS-FEDERATION/mappings
    identity_provider /OS-FEDERATION/identity_providers/{idp_id}
    identity_providers_websso /auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso
    service_provider /OS-FEDERATION/service_providers/{service_provider_id}
    mapping /OS-FEDERATION/mappings/{mapping_id}
    identity_provider_protocol /OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}
    identity_provider_protocols /OS-FEDERATION/identity_providers/{idp_id}/protocols
    identity_provider_protocol_auth /OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth
  `,
  'OS-OAUTH1': `
    access_tokens /OS-OAUTH1/access_token
    request_tokens /OS-OAUTH1/request_token
    consumers /OS-OAUTH1/consumers
    authorize_request_token /OS-OAUTH1/authorize/{request_token_id}
    consumer /OS-OAUTH1/consumers/{consumer_id}
    user_access_token /users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}
    user_access_tokens /users/{user_id}/OS-OAUTH1/access_tokens
    user_access_token_role /users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles/{role_id}
    user_access_token_roles /users/{user_id}/OS-OAUTH1/access_tokens/{access_token_id}/roles
  `,
  'OS-ENDPOINT-POLICY': `
    endpoint_policy /endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy
    endpoint_policy_association /policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}
    policy_endpoints /policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints
    region_and_service_policy_association /policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}
    service_policy_association /policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}
  `,
  'OS-EP-FILTER': `
    endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}
    endpoint_group_to_project_association /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}
    endpoint_groups /OS-EP-FILTER/endpoint_groups
    endpoint_projects /OS-EP-FILTER/endpoints/{endpoint_id}/projects
    endpoints_in_endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints
    project_endpoint_groups /OS-EP-FILTER/projects/{project_id}/endpoint_groups
    project_endpoint /OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}
    project_endpoints /OS-EP-FILTER/projects/{project_id}/endpoints
    projects_associated_with_endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects
  `,
  'OS-INHERIT': `
    domain_user_role_inherited_to_projects /OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
    domain_group_role_inherited_to_projects /OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects
    domain_user_roles_inherited_to_projects /OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/inherited_to_projects
    domain_group_roles_inherited_to_projects /OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/inherited_to_projects
    project_user_role_inherited_to_projects /OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
    project_group_role_inherited_to_projects /OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects
  `,
}
const experimental = new Set(['registered_limits', 'registered_limit', 'limits', 'limit', 'limit_model'])
/** Parameters whose relation belongs to their extension, and those whose relation has another name. */
const ofExtension = new Set(['trust_id', 'idp_id', 'protocol_id', 'service_provider_id', 'mapping_id', 'request_token_id', 'consumer_id', 'access_token_id', 'endpoint_group_id'])
const renamed: Record<string, string> = { value: 'tag_value', prior_role_id: 'role_id', implied_role_id: 'role_id', group: 'config_group', option: 'config_option' }

const base = 'https://docs.openstack.org/api/openstack-identity/3'
const relation = (extension: string, kind: 'rel' | 'param', name: string): string => `${base}${extension ? `/ext/${extension}/1.0` : ''}/${kind}/${name}`
/** A path without the names of its parameters. */
const shape = (path: string): string => path.replace(/\{\w+\}/g, '{}')

/** The media type that asks for it. */
export const jsonHomeType = 'application/json-home'

/** The document. `paths` are those of the operations there are; `prefix` stands before each path (`/v3` where the document is the root's). */
export function jsonHome(paths: Iterable<string>, prefix: string): object {
  const built = new Set([...paths].map(shape)), resources: Record<string, object> = {}
  for (const [extension, lines] of Object.entries(relations)) {
    for (const [name, path] of lines.trim().split('\n').map((line) => line.trim().split(' ') as [string, string])) {
      if (!built.has(shape(path))) continue
      const params = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!)
      resources[relation(extension, 'rel', name)] = {
        ...(params.length === 0 ? { href: prefix + path } : {
          'href-template': prefix + path, 'href-vars': Object.fromEntries(params.map((p) => [p, relation(ofExtension.has(p) ? extension : '', 'param', renamed[p] ?? p)])),
        }),
        ...(experimental.has(name) && { hints: { status: 'experimental' } }),
      }
    }
  }
  return { resources }
}

/** Whether a client would rather have the JSON home document than the version's. */
export function prefersJsonHome(accept: string | undefined): boolean {
  const quality = (...types: string[]): number => Math.max(0, ...(accept ?? '').toLowerCase().split(',').map((part) => {
    const [type, ...params] = part.split(';').map((p) => p.trim())
    const q = Number(params.find((p) => p.startsWith('q='))?.slice(2) ?? 1)
    return types.includes(type!) && Number.isFinite(q) ? q : 0
  }))
  return quality(jsonHomeType) > quality('application/json', 'application/*', '*/*')
}

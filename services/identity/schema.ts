// Identity's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'
import type { DomainOptionTables } from './domain-config/store.ts'
import type { FederationTables } from './federation/schema.ts'
import type { OAuth1Tables } from './oauth1/schema.ts'
import type { DirectoryTables } from './ldap/store.ts'
import type { LimiterTables } from './passwords/limiter-store.ts'
import type { LimitTables } from './limits/schema.ts'
import type { PasswordTables } from './passwords/store.ts'
import type { PolicyTables } from './policies/schema.ts'

export interface IdentityTables
  extends LimitTables, PolicyTables, DomainOptionTables, FederationTables, DelegationTables, PasswordTables, LimiterTables, OAuth1Tables, DirectoryTables {
  identityProjects: ProjectRow
  identityProjectTags: { projectId: string, name: string }
  identityUsers: UserRow
  identityGroups: GroupRow
  identityMemberships: { userId: string, groupId: string }
  identityRoles: RoleRow
  identityImpliedRoles: { priorRoleId: string, impliedRoleId: string }
  identityAssignments: AssignmentRow
  identityRevocations: { auditId: string, expiresAtSeconds: number, revokedAt: string | null }
  identityKeys: { number: number, secret: string, createdAt: string }
  identityRegions: RegionRow
  identityServices: ServiceRow
  identityEndpoints: EndpointRow
  identityApplicationCredentials: ApplicationCredentialRow
}

/** Domains are projects that act as one, as in keystone. */
export interface ProjectRow {
  id: string
  name: string
  /** Empty for a domain: their names are unique among themselves. */
  domainId: string
  /** A top-level project's parent is its domain; a domain has none. */
  parentId: string | null
  isDomain: Flag
  enabled: Flag
  description: string
  /** JSON: `immutable`. */
  options: string
  /** JSON: attributes that clients made up. */
  extra: string
  /** Tokens of an older generation are revoked: raised when the project is disabled. */
  generation: number
  createdAt: string
}

export interface UserRow {
  id: string
  name: string
  domainId: string
  defaultProjectId: string | null
  enabled: Flag
  /** argon2id in PHC notation; without one, no password fits. */
  passwordHash: string | null
  passwordExpiresAt: string | null
  options: string
  /** JSON: attributes that clients made up, description and email among them. */
  extra: string
  /** Tokens of an older generation are revoked: raised when the user is disabled or gets another password. */
  generation: number
  createdAt: string
}

export interface GroupRow { id: string, name: string, domainId: string, description: string, extra: string, createdAt: string }

export interface RoleRow {
  id: string
  name: string
  /** Empty for roles that may be assigned anywhere. */
  domainId: string
  description: string | null
  options: string
  extra: string
  createdAt: string
}

export type ActorType = 'user' | 'group'
export type TargetType = 'project' | 'domain' | 'system'
/** Somebody's role somewhere. `inherited`: not there, but on all projects below. */
export interface AssignmentRow {
  actorType: ActorType
  actorId: string
  targetType: TargetType
  /** `system` for the system. */
  targetId: string
  roleId: string
  /** Holds on the projects below the target, not on the target. */
  inherited: Flag
}

export interface RegionRow { id: string, description: string, parentRegionId: string | null, extra: string }
export interface ServiceRow { id: string, type: string, name: string | null, description: string | null, enabled: Flag, extra: string }
export interface EndpointRow { id: string, serviceId: string, regionId: string | null, interface: string, url: string, enabled: Flag, extra: string }

export interface ApplicationCredentialRow {
  id: string
  name: string
  userId: string
  projectId: string
  description: string | null
  secretHash: string
  /** With microseconds, as it was asked for. */
  expiresAt: string | null
  unrestricted: Flag
  /** JSON list of role ids; what of it the user still holds is what the credential can do. */
  roleIds: string
  createdAt: string
}

/** Credentials, trusts and access rules: what others are let in by. */
export interface DelegationTables {
  identityTrusts: TrustRow
  identityAccessRules: AccessRuleRow
  identityApplicationCredentialRules: { applicationCredentialId: string, accessRuleId: string }
  identityCredentials: CredentialRow
  identityCredentialKeys: { number: number, secret: string, createdAt: string }
}

export interface TrustRow {
  id: string
  trustorUserId: string
  trusteeUserId: string
  /** Whose rights are lent: the trustor, or the first one of a chain of redelegations. */
  rootTrustorId: string
  projectId: string | null
  impersonation: Flag
  /** With microseconds, as it was asked for. */
  expiresAt: string | null
  remainingUses: number | null
  redelegatedTrustId: string | null
  redelegationCount: number
  /** JSON list of role ids: all of them, or the trust is worth nothing. */
  roleIds: string
  deletedAt: string | null
  createdAt: string
}

export interface AccessRuleRow { id: string, userId: string, service: string, path: string, method: string }

/** A credential of a user, its blob sealed. */
export interface CredentialRow {
  /** For EC2's the digest of the access key, as in keystone. */
  id: string
  userId: string
  projectId: string | null
  type: string
  /** The blob under the key of this number. */
  keyNumber: number
  sealed: string
  /** JSON: attributes that clients made up. */
  extra: string
  /** The time step of the last TOTP passcode that was used: none is taken twice. */
  lastStep: number
  createdAt: string
}

// What a token is worth at this moment: two queries, nothing remembered. So every revocation, role and disabled project counts at once.
import type { IdentityTx } from '../deps.ts'
import * as groups from '../groups/store.ts'
import { findAccessToken } from '../oauth1/store.ts'
import { idsOf } from '../roles/ids.ts'
import * as implied from '../roles/store.ts'
import { accessRulesOf } from '../access-rules/store.ts'
import type { AccessRuleRow } from '../schema.ts'
import { trustStanding, type TrustStanding } from '../trusts/standing-store.ts'
import { scopeId, type Claims, type Scope } from './payload.ts'
import { personColumns, personOf, type Person } from './people-store.ts'

export type { Person }

export interface Role { id: string, name: string }
/** What a token is worth now: all that is read of its user, its scope and what it was had by. */
export interface Standing {
  user: Person
  /** The project or domain of the scope, if it still exists. */
  scope?: { id: string, name: string, isDomain: boolean, enabled: boolean, generation: number, domainId: string, domainName: string }
  applicationCredential?: {
    id: string
    name: string
    unrestricted: boolean
    expiresAt: string | null
    roleIds: string[]
    /** Without any, every request is allowed. */
    accessRules: AccessRuleRow[]
  }
  trust?: TrustStanding
  /** For whom a provider vouches: it is still trusted, and these are the groups it put him into. */
  federation?: { enabled: boolean, groupIds: string[] }
  /** What a consumer was allowed. */
  accessToken?: { id: string, consumerId: string, expiresAtSeconds: number }
  /** There are clouds that this one vouches to: tokens tell of them. */
  vouching: boolean
  scopeDomainEnabled: boolean
  revoked: boolean
  /** All that hold in the scope, implied ones included; those special to a domain are left out, as in keystone. */
  roles: Role[]
}

/** Whom the token stands for: the trustor if the trustee impersonates him. */
export const actingUser = ({ user, trust }: Standing): Person => (trust?.impersonation ? trust.trustor : user)

/** The roles of a user in a scope: his own and his groups', inherited from above a project, and what these imply. Those of a domain only when asked for. */
export function rolesOf(tx: IdentityTx, userId: string, scope: Scope, domainsToo = false): Promise<(Role & { domainId: string })[]> {
  if (scope.kind === 'unscoped') return Promise.resolve([])
  const target = scopeId(scope)
  return tx.db
    .withRecursive('ancestors', (db) => db
      .selectFrom('identityProjects').select('parentId as id').where('id', '=', scope.kind === 'project' ? target : '').where('parentId', 'is not', null)
      .union((db) => db.selectFrom('ancestors').innerJoin('identityProjects as p', 'p.id', 'ancestors.id').select('p.parentId as id').where('p.parentId', 'is not', null)))
    .withRecursive('effective', (db) => db
      .selectFrom('identityAssignments as a').select('a.roleId')
      .where((eb) => eb.or([
        eb.and([eb('a.actorId', '=', userId), eb('a.actorType', '=', 'user')]),
        eb.and([eb('a.actorId', 'in', groups.groupIdsOf(tx, userId)), eb('a.actorType', '=', 'group')]),
      ]))
      .where((eb) => eb.or([
        eb.and([eb('a.targetId', '=', target), eb('a.targetType', '=', scope.kind), eb('a.inherited', '=', 0)]),
        eb.and([eb('a.targetId', 'in', eb.selectFrom('ancestors').select('ancestors.id')), eb('a.inherited', '=', 1)]),
      ]))
      .union((db) => db.selectFrom('effective').innerJoin('identityImpliedRoles as i', 'i.priorRoleId', 'effective.roleId').select('i.impliedRoleId as roleId')))
    .selectFrom('effective').innerJoin('identityRoles as r', 'r.id', 'effective.roleId').select(['r.id', 'r.name', 'r.domainId'])
    .$if(!domainsToo, (query) => query.where('r.domainId', '=', '')).orderBy('r.name').execute()
}

/** undefined when the user is gone. */
export async function standingOf(tx: IdentityTx, claims: Claims): Promise<Standing | undefined> {
  const target = scopeId(claims.scope)
  const row = await tx.db.selectFrom('identityUsers as u')
    .innerJoin('identityProjects as d', 'd.id', 'u.domainId')
    .leftJoin('identityProjects as s', (j) => j.on('s.id', '=', target))
    .leftJoin('identityProjects as sd', 'sd.id', 's.domainId')
    .leftJoin('identityRevocations as r', (j) => j.on('r.auditId', '=', claims.auditIds[0]!))
    .leftJoin('identityApplicationCredentials as c', (j) => j.on('c.id', '=', claims.applicationCredentialId ?? ''))
    .leftJoin('identityIdentityProviders as ip', (j) => j.on('ip.id', '=', claims.identityProviderId ?? ''))
    .select([
      'ip.enabled as providerEnabled', (eb) => eb.exists(eb.selectFrom('identityServiceProviders').select('id').where('enabled', '=', 1)).as('vouching'),
      ...personColumns, 's.id as scopeId', 's.name as scopeName', 's.isDomain', 's.enabled as scopeEnabled', 's.generation as scopeGeneration',
      'sd.id as scopeDomainId', 'sd.name as scopeDomainName', 'sd.enabled as scopeDomainEnabled', 'r.auditId as revoked',
      'c.id as credentialId', 'c.name as credentialName', 'c.unrestricted', 'c.expiresAt as credentialExpiresAt', 'c.roleIds',
      'c.userId as credentialUserId', 'c.projectId as credentialProjectId',
    ])
    .where('u.id', '=', claims.userId).executeTakeFirst()
  if (!row) return undefined
  const trust = claims.trustId ? await trustStanding(tx, claims.trustId) : undefined
  let roles: Role[] = claims.trustId ? trust?.roles ?? [] : (await rolesOf(tx, claims.userId, claims.scope)).map(({ id, name }) => ({ id, name }))
  const bound = row.credentialId && row.credentialUserId === claims.userId && row.credentialProjectId === target
  const federation = claims.identityProviderId
    ? { enabled: row.providerEnabled === 1, groupIds: await groups.federatedGroupIds(tx, claims.userId, claims.identityProviderId) }
    : undefined
  const credential = bound ? {
    id: row.credentialId!, name: row.credentialName!, unrestricted: row.unrestricted === 1, expiresAt: row.credentialExpiresAt,
    roleIds: JSON.parse(row.roleIds!) as string[], accessRules: await accessRulesOf(tx, row.credentialId!),
  } : undefined
  // A credential can do no more than its roles and what they imply, and no more than its user still can.
  const accessToken = claims.accessTokenId ? await findAccessToken(tx, claims.accessTokenId) : undefined
  const own = accessToken?.userId === claims.userId && accessToken.projectId === target ? accessToken : undefined
  if (claims.applicationCredentialId || claims.accessTokenId) {
    const inferences = await implied.inferences(tx)
    const delegated = claims.accessTokenId ? idsOf(own?.roleIds ?? '[]') : credential?.roleIds ?? []
    const allowed = new Set(delegated.flatMap((id) => [id, ...implied.impliedBy(id, inferences)]))
    roles = roles.filter((r) => allowed.has(r.id))
  }
  return {
    user: personOf(row),
    ...(trust && { trust }),
    ...(row.scopeId && { scope: {
      id: row.scopeId, name: row.scopeName!, isDomain: row.isDomain === 1, enabled: row.scopeEnabled === 1, generation: Number(row.scopeGeneration),
      domainId: row.scopeDomainId ?? row.scopeId, domainName: row.scopeDomainName ?? row.scopeName!,
    } }),
    // A domain stands in no other domain.
    scopeDomainEnabled: row.scopeDomainId === null || row.scopeDomainEnabled === 1,
    ...(credential && { applicationCredential: credential }),
    ...(federation && { federation }),
    vouching: Boolean(row.vouching),
    ...(own && { accessToken: { id: own.id, consumerId: own.consumerId, expiresAtSeconds: Number(own.expiresAtSeconds) } }),
    revoked: row.revoked !== null,
    roles,
  }
}

/** Why these claims hold no more (for the log), or undefined when they do. `nowMs` also decides whether a credential has expired. */
export function whyNot(claims: Claims, standing: Standing | undefined, nowMs: number): string | undefined {
  if (!standing) return 'the user is gone'
  if (!standing.user.mayEnter) return 'the user or his domain is disabled'
  if (standing.user.generation !== claims.userGeneration) return 'the user was disabled or got another password'
  if (standing.federation?.enabled === false) return 'its identity provider is gone or disabled'
  if (standing.revoked) return 'it was revoked'
  if (claims.scope.kind === 'project' || claims.scope.kind === 'domain') {
    const { scope } = standing
    if (!scope || (claims.scope.kind === 'domain' && !scope.isDomain)) return 'its scope is gone'
    if (!scope.enabled || !standing.scopeDomainEnabled) return 'its scope is disabled'
    if (scope.generation !== claims.scopeGeneration) return 'its scope was disabled'
  }
  if (claims.applicationCredentialId) {
    const credential = standing.applicationCredential
    if (!credential) return 'its application credential is gone'
    if (credential.expiresAt && Date.parse(credential.expiresAt) <= nowMs) return 'its application credential has expired'
  }
  if (claims.trustId) {
    const { trust } = standing
    if (!trust || trust.projectId !== scopeId(claims.scope) || trust.trusteeUserId !== claims.userId) return 'its trust is gone'
    if (trust.expiresAt && Date.parse(trust.expiresAt) <= nowMs) return 'its trust has expired'
    if (!trust.trustor.mayEnter || !trust.agentsMayEnter) return 'the trustor or a trustee of its trust is disabled'
    if (String(trust.trustor.generation) !== claims.trustorGeneration) return 'the trustor was disabled or got another password'
    if (!trust.roles) return 'the trustor has lost a role of its trust'
  }
  if (claims.accessTokenId && !(standing.accessToken && standing.accessToken.expiresAtSeconds * 1000 > nowMs)) return 'its access token is gone or has expired'
  if (claims.scope.kind !== 'unscoped' && standing.roles.length === 0) return 'the user has no role in its scope'
  return undefined
}

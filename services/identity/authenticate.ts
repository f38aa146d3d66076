// Whom a token stands for: asked by every service for every request.
import type { Actor, Context } from '#base/context.ts'
import { authenticationRequired } from './faults.ts'
import type { Deps } from './deps.ts'
import type { Claims } from './tokens/payload.ts'
import { actingUser, standingOf, whyNot, type Standing } from './tokens/standing-store.ts'

/** A token that holds, with what it is worth. */
export interface Subject { claims: Claims, standing: Standing }

/** Opens a token and reads what it is worth now; a reason in words when it is worth nothing. `graceSeconds` lets it live longer. */
export async function examine(deps: Deps, token: string, graceSeconds = 0): Promise<Subject | string> {
  const claims = await deps.tokens.open(token)
  if (!claims) return 'it is no token of this cloud'
  const nowMs = deps.clock()
  if ((claims.expiresAtSeconds + graceSeconds) * 1000 <= nowMs) return 'it has expired'
  let standing = await deps.store.read((tx) => standingOf(tx, claims))
  // Somebody may be gone from his directory since.
  if (standing && await deps.directories.has(standing.user.domainId) && await deps.directories.refresh(standing.user.domainId)) {
    standing = await deps.store.read((tx) => standingOf(tx, claims))
  }
  return whyNot(claims, standing, graceSeconds > 0 ? Math.min(nowMs, claims.expiresAtSeconds * 1000 - 1) : nowMs) ?? { claims, standing: standing! }
}

/** The caller as every service's policies know him. */
export function actorOf({ claims, standing }: Subject): Actor {
  const user = actingUser(standing)
  const { scope, applicationCredential } = standing
  const accessRules = applicationCredential?.accessRules.map(({ service, method, path }) => ({ service, method, path })) ?? []
  return {
    userId: user.id, userName: user.name, userDomainId: user.domainId, roles: standing.roles.map((r) => r.name.toLowerCase()), auditId: claims.auditIds[0]!,
    ...(claims.scope.kind === 'project' && { projectId: scope!.id, projectName: scope!.name, projectDomainId: scope!.domainId }),
    ...(claims.scope.kind === 'domain' && { domainId: scope!.id }),
    ...(claims.scope.kind === 'system' && { system: 'all' as const }),
    ...(applicationCredential && { delegation: { applicationCredentialId: applicationCredential.id, unrestricted: applicationCredential.unrestricted } }),
    ...(claims.trustId && { delegation: { trustId: claims.trustId } }),
    ...(claims.accessTokenId && { delegation: { accessTokenId: claims.accessTokenId } }),
    ...(claims.certificateThumbprint && { boundTo: claims.certificateThumbprint }),
    ...(accessRules.length > 0 && { accessRules }),
  }
}

/** For kit/http's option of the same name. Throws the 401 for everything that is not a token that holds. */
export const authenticate = (deps: Deps, identityUrl: () => string) => async (token: string, ctx: Context): Promise<Actor> => {
  const subject = await examine(deps, token)
  if (typeof subject === 'string') {
    ctx.log.debug({ requestId: ctx.requestId, why: subject }, 'a token was refused')
    throw authenticationRequired(identityUrl())
  }
  return actorOf(subject)
}

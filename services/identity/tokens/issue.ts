// Issuing a token: who, in what scope, until when.
import type { Context } from '#base/context.ts'
import { badRequest } from '#base/errors.ts'
import type { Subject } from '../authenticate.ts'
import type { Deps } from '../deps.ts'
import { authenticationRequired } from '../faults.ts'
import { identify, type Auth, type Caller, type Shown } from './methods.ts'
import { newAuditId, type Claims, type Scope } from './payload.ts'
import { standingOf, whyNot } from './standing-store.ts'
import * as store from './store.ts'

export interface Issued extends Subject { token: string }

type Resolved = { scope: Scope, generation: number }
const unscoped: Resolved = { scope: { kind: 'unscoped' }, generation: 0 }
const scopeKeys = ['project', 'domain', 'system', 'unscoped'] as const

/** The scope asked for; undefined when none is, and the user's default project may be taken. */
async function resolveScope(deps: Deps, auth: Pick<Auth, 'scope'>, shown: Shown, caller: Caller): Promise<Resolved | undefined> {
  const find = async (kind: 'project' | 'domain', ref: store.UserRef): Promise<Resolved> => {
    const found = await deps.store.read((tx) => store.findScope(tx, ref, kind === 'domain'))
    if (!found) throw authenticationRequired(caller.root)
    return { scope: { kind, id: found.id }, generation: found.generation }
  }
  if (shown.projectId) return find('project', { id: shown.projectId })
  const asked = auth.scope
  if (asked === undefined) return undefined
  if (asked === 'unscoped') return unscoped
  if (typeof asked === 'string' || scopeKeys.filter((key) => asked[key] !== undefined).length !== 1) {
    throw badRequest('Expecting to find system, project, domain or unscoped in scope. The server could not comply with the request since it is either malformed or otherwise incorrect.')
  }
  if (asked.unscoped) return unscoped
  if (asked.system) return { scope: { kind: 'system' }, generation: 0 }
  const kind = asked.project ? 'project' : 'domain', ref: store.UserRef = asked.project ?? asked.domain!
  if (!ref.id && !ref.name) throw badRequest(`Invalid input for field scope/${kind}: id or name must be present.`)
  if (kind === 'project' && ref.name && !ref.domain) throw badRequest('Expecting to find domain in project. The server could not comply with the request since it is either malformed or otherwise incorrect.')
  if (ref.domain && !ref.domain.id && !ref.domain.name) throw badRequest('Invalid input for field scope/project/domain: id or name must be present.')
  return find(kind, ref)
}

/** Checks who it is and answers the token; throws the 401 that tells nothing. */
export const issue = (ctx: Context, deps: Deps, auth: Auth, caller: Caller): Promise<Issued> => issueTo(ctx, deps, () => identify(deps, auth, caller), auth, caller)

/** The token for whom `identified` answers: for those who showed who they are in another way than by a body of /auth/tokens. */
export async function issueTo(ctx: Context, deps: Deps, identified: () => Promise<Shown>, auth: Pick<Auth, 'scope'>, caller: Caller): Promise<Issued> {
  const told: { user?: string } = {}
  return ctx.span('identity.issue-token', async () => {
    const shown = await identified()
    told.user = shown.user.id
    const issuedAtSeconds = Math.floor(deps.clock() / 1000)
    const claims = (resolved: Resolved): Claims => ({
      userId: shown.user.id, methods: shown.methods, scope: resolved.scope, issuedAtSeconds,
      auditIds: shown.parentAuditId ? [newAuditId(), shown.parentAuditId] : [newAuditId()],
      expiresAtSeconds: Math.min(shown.expiresAtSeconds ?? Infinity, issuedAtSeconds + deps.config.tokenLifeSeconds),
      // As they were when the password was compared: whoever changed it meanwhile has ended this token too.
      userGeneration: shown.user.generation, scopeGeneration: resolved.generation,
      ...(shown.applicationCredentialId && { applicationCredentialId: shown.applicationCredentialId }),
      ...(shown.identityProviderId && { identityProviderId: shown.identityProviderId, protocolId: shown.protocolId! }),
      ...(shown.accessTokenId && { accessTokenId: shown.accessTokenId }),
    })
    const tryScope = async (resolved: Resolved): Promise<Subject | string> => {
      const wanted = claims(resolved)
      const standing = await deps.store.read((tx) => standingOf(tx, wanted))
      return whyNot(wanted, standing, deps.clock()) ?? { claims: wanted, standing: standing! }
    }
    const asked = await resolveScope(deps, auth, shown, caller)
    let subject: Subject | string | undefined
    if (asked) subject = await tryScope(asked)
    else {
      // A default project that does not let him in is passed over.
      const home = shown.user.defaultProjectId ? await deps.store.read((tx) => store.findScope(tx, { id: shown.user.defaultProjectId! }, false)) : undefined
      if (home) subject = await tryScope({ scope: { kind: 'project', id: home.id }, generation: home.generation })
      if (!home || typeof subject === 'string') subject = await tryScope(unscoped)
    }
    if (typeof subject !== 'object') throw authenticationRequired(caller.root, subject)
    const credentialEndsAt = subject.standing.applicationCredential?.expiresAt
    if (credentialEndsAt) subject.claims.expiresAtSeconds = Math.min(subject.claims.expiresAtSeconds, Math.floor(Date.parse(credentialEndsAt) / 1000))
    deps.tracer.bind(ctx, `token:${subject.claims.auditIds[0]}`)
    return { ...subject, token: deps.tokens.seal(subject.claims) }
  }, { tenant: told as Record<string, string> })
}

// Issuing a token: who, in what scope, until when.
import type { Context } from '#base/context.ts'
import { badRequest, forbidden } from '#base/errors.ts'
import type { Subject } from '../authenticate.ts'
import type { Deps } from '../deps.ts'
import { authenticationRequired, couldNotComply } from '../faults.ts'
import { isWelcome } from '../passwords/rules.ts'
import { identify, type Auth, type Caller, type Shown } from './methods.ts'
import { newAuditId, type Claims, type Scope } from './payload.ts'
import { standingOf, whyNot } from './standing-store.ts'
import * as store from './store.ts'
import { trustStanding } from '../trusts/standing-store.ts'
import * as trusts from '../trusts/store.ts'

/** A new token, with what it stands for. */
export interface Issued extends Subject { token: string }

type Resolved = { scope: Scope, generation: number, trust?: { id: string, trustorGeneration: number } }
const unscoped: Resolved = { scope: { kind: 'unscoped' }, generation: 0 }
const scopeKeys = ['project', 'domain', 'system', 'unscoped', 'OS-TRUST:trust'] as const

/** The scope asked for; undefined when none is, and the user's default project may be taken. */
async function resolveScope(deps: Deps, auth: Pick<Auth, 'scope'>, shown: Shown, caller: Caller): Promise<Resolved | undefined> {
  const find = async (kind: 'project' | 'domain', ref: store.UserRef): Promise<Resolved> => {
    const found = await deps.store.read((tx) => store.findScope(tx, ref, kind === 'domain'))
    if (!found) throw authenticationRequired(caller.root)
    return { scope: { kind, id: found.id }, generation: found.generation }
  }
  const byTrust = async (id: string): Promise<Resolved> => {
    const trust = await deps.store.read(async (tx) => (await trusts.findUsable(tx, id, deps.clock()) ? trustStanding(tx, id) : undefined))
    if (!trust || trust.projectId === null) throw authenticationRequired(caller.root, 'there is no such trust, or it is used up')
    // Only who knows the trust's id learns this much, in keystone's words.
    if (trust.trusteeUserId !== shown.user.id) throw forbidden('User is not a trustee.')
    if (!trust.trustor.mayEnter) throw forbidden('Trustor is disabled.')
    if (!trust.agentsMayEnter) throw forbidden('One of the trust agents is disabled or deleted')
    if (!trust.roles) throw forbidden('Trustee has no delegated roles.')
    return { ...await find('project', { id: trust.projectId }), trust: { id, trustorGeneration: trust.trustor.generation } }
  }
  if (shown.trustId) return byTrust(shown.trustId)
  if (shown.projectId) return find('project', { id: shown.projectId })
  const asked = auth.scope
  if (asked === undefined) return undefined
  if (asked === 'unscoped') return unscoped
  if (typeof asked === 'string' || scopeKeys.filter((key) => asked[key] !== undefined).length !== 1) {
    throw badRequest(`Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope. ${couldNotComply}`)
  }
  if (asked.unscoped) return unscoped
  if (asked['OS-TRUST:trust']) return byTrust(asked['OS-TRUST:trust'].id)
  if (asked.system) return { scope: { kind: 'system' }, generation: 0 }
  const kind = asked.project ? 'project' : 'domain', ref: store.UserRef = asked.project ?? asked.domain!
  if (!ref.id && !ref.name) throw badRequest(`Invalid input for field scope/${kind}: id or name must be present.`)
  if (kind === 'project' && ref.name && !ref.domain) {
    throw badRequest(`Expecting to find domain in project. ${couldNotComply}`)
  }
  if (ref.domain && !ref.domain.id && !ref.domain.name) throw badRequest('Invalid input for field scope/project/domain: id or name must be present.')
  return find(kind, ref)
}

/** Checks who it is and answers the token; throws the 401 that tells nothing. */
export const issue = (ctx: Context, deps: Deps, auth: Auth, caller: Caller): Promise<Issued> => issueTo(ctx, deps, () => identify(deps, auth, caller), auth, caller)

/** The token for whom `identified` answers: for those who showed who they are in another way than by a body of /auth/tokens. */
export async function issueTo(ctx: Context, deps: Deps, identified: () => Promise<Shown>, auth: Pick<Auth, 'scope'>, caller: Caller): Promise<Issued> {
  const told: { user?: string } = {}
  return ctx.span('identity.issue-token', async () => {
    await deps.keyring.fresh()
    const shown = await identified()
    told.user = shown.user.id
    if (!await isWelcome(deps, shown.user)) throw authenticationRequired(caller.root, 'the user was not here for too long')
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
      ...(shown.certificateThumbprint && { certificateThumbprint: shown.certificateThumbprint }),
      ...(resolved.trust && { trustId: resolved.trust.id, trustorGeneration: String(resolved.trust.trustorGeneration) }),
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
    const { trust, applicationCredential } = subject.standing, endsAt = trust?.expiresAt ?? applicationCredential?.expiresAt
    // Of many who take the last use at once, one gets it.
    if (trust && !await deps.store.tx((tx) => trusts.use(tx, trust.id))) throw authenticationRequired(caller.root, 'the trust is used up')
    if (endsAt) subject.claims.expiresAtSeconds = Math.min(subject.claims.expiresAtSeconds, Math.floor(Date.parse(endsAt) / 1000))
    deps.tracer.bind(ctx, `token:${subject.claims.auditIds[0]}`)
    return { ...subject, token: deps.tokens.seal(subject.claims) }
  }, { tenant: told as Record<string, string> })
}

// https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management
import { badRequest, forbidden } from '#base/errors.ts'
import { micros } from '#base/time.ts'
import { Reply, type Input } from '#kit/http/operation.ts'
import { anyone, authenticated } from '#kit/policy/rules.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { examine, type Subject } from '../authenticate.ts'
import { catalogFor } from '../catalog/entries-store.ts'
import { operation, type Deps } from '../deps.ts'
import { listServiceProviders } from '../federation/store.ts'
import { authenticationRequired, missing } from '../faults.ts'
import { collection, isOn } from '../fields.ts'
import { requestOf } from '../oauth1/acting.ts'
import { projectView } from '../projects/view.ts'
import { domainView } from '../domains/view.ts'
import { issue } from './issue.ts'
import { authBody } from './methods.ts'
import { MoreMethodsNeeded, sealReceipt } from './receipts.ts'
import * as policy from './policy.ts'
import * as scopes from './scopes-store.ts'
import * as tokens from './store.ts'
import { actingUser, standingOf } from './standing-store.ts'
import { receiptView, tokenView } from './view.ts'

const query = lenient({ nocatalog: Type.Optional(Type.String()), allow_expired: Type.Optional(Type.String()) })

/** A token as its holder sees it. */
export const withCatalog = async (deps: Deps, subject: Subject, query: { nocatalog?: string }): Promise<object> => {
  const { claims, standing } = subject
  const catalog = 'nocatalog' in query || claims.scope.kind === 'unscoped'
    ? undefined : await deps.store.read((tx) => catalogFor(tx, standing.trust?.trustor.id ?? claims.userId, claims.scope.kind === 'project' ? claims.scope.id : undefined))
  return { token: tokenView(subject, catalog, standing.vouching ? await deps.store.read((tx) => listServiceProviders(tx, { enabled: true })) : []) }
}

/** The token that X-Subject-Token shows; the 404 when it holds no more, whoever asks. `heeding`: who is told of it must know what access rules are. */
const subjectFor = (heeding: boolean) => ({
  async load(_ctx: unknown, _params: unknown, deps: Deps, input: Input<{ allow_expired?: string }, unknown, unknown>): Promise<(Subject & { text: string }) | undefined> {
    const text = input.headers['x-subject-token']
    if (typeof text !== 'string' || text === '') return undefined
    const grace = isOn(input.query.allow_expired) ? deps.config.allowExpiredSeconds : 0
    const found = await examine(deps, text, grace)
    if (typeof found === 'string') return undefined
    // Who asks without saying that he heeds access rules would let everything pass.
    const heeds = !heeding || Number(input.headers['openstack-identity-access-rules'] ?? 0) >= 1
    return found.standing.applicationCredential?.accessRules.length && !heeds ? undefined : { ...found, text }
  },
  sees: authenticated,
  owner: ({ standing }: Subject & { text: string }) => ({ userId: actingUser(standing).id }),
  missing: () => missing('token', 'the one in X-Subject-Token'),
})

export const issueToken = operation({
  name: 'issueToken', method: 'POST', path: '/auth/tokens', summary: 'Authenticate and get a token.', status: 201,
  access: anyone, query, body: authBody,
  faults: ['unauthorized', 'forbidden', 'notFound', 'tooManyRequests'],
  async handle(ctx, { query, body, urls, remoteAddress, headers }, deps) {
    const receipt = headers['openstack-auth-receipt']
    try {
      const signed = headers.authorization ? requestOf({ headers, urls }) : undefined
      const caller = { root: urls.root, remoteAddress, ...(signed && { signed }), ...(typeof receipt === 'string' && { receipt }) }
      const issued = await issue(ctx, deps, body.auth, caller)
      return new Reply({ headers: { 'x-subject-token': issued.token }, body: await withCatalog(deps, issued, query) })
    } catch (error) {
      if (error instanceof MoreMethodsNeeded) return await receiptFor(deps, error, urls.root)
      throw error
    }
  },
})

/** The 401 with which one comes back with the rest of the methods. */
export async function receiptFor(deps: Deps, { user, methods, required }: MoreMethodsNeeded, root: string): Promise<Reply> {
  const issuedAtSeconds = Math.floor(deps.clock() / 1000)
  const expiresAtSeconds = issuedAtSeconds + deps.config.receiptLifeSeconds
  const unscoped = {
    userId: user.id, methods, scope: { kind: 'unscoped' as const }, auditIds: [''], issuedAtSeconds, expiresAtSeconds,
    userGeneration: user.generation, scopeGeneration: 0,
  }
  const standing = await deps.store.read((tx) => standingOf(tx, unscoped))
  if (!standing) throw authenticationRequired(root)
  return new Reply({
    status: 401, headers: { 'openstack-auth-receipt': sealReceipt(deps, user, methods, issuedAtSeconds), 'www-authenticate': `Keystone uri="${root}"` },
    body: receiptView(standing.user, methods, required, issuedAtSeconds, expiresAtSeconds),
  })
}

export const validateToken = operation({
  name: 'validateToken', method: 'GET', path: '/auth/tokens', summary: 'Validate a token and show what it stands for.',
  access: policy.validateToken, query, target: subjectFor(true),
  async handle(_ctx, { query, target }, deps) {
    return new Reply({ headers: { 'x-subject-token': target.text }, body: await withCatalog(deps, target, query) })
  },
})

export const revokeToken = operation({
  name: 'revokeToken', method: 'DELETE', path: '/auth/tokens', summary: 'Revoke a token.',
  access: policy.revokeToken, target: subjectFor(false),
  async handle(_ctx, { target }, deps) {
    const { auditIds, expiresAtSeconds } = target.claims
    const nowSeconds = Math.floor(deps.clock() / 1000)
    await deps.store.tx((tx) => tokens.revoke(tx, auditIds[0]!, expiresAtSeconds, nowSeconds, deps.config.allowExpiredSeconds), { durable: true })
  },
})

export const showOwnCatalog = operation({
  name: 'showOwnCatalog', method: 'GET', path: '/auth/catalog', summary: 'Show the catalogue of the caller\'s token.',
  access: policy.ownScopes,
  async handle({ actor }, { urls }, { store }) {
    if (!actor.projectId) throw forbidden('A project-scoped token is required to produce a service catalog.')
    return { catalog: await store.read((tx) => catalogFor(tx, actor.userId, actor.projectId)), links: { self: `${urls.api}/auth/catalog`, previous: null, next: null } }
  },
})

export const listOwnProjects = operation({
  name: 'listOwnProjects', method: 'GET', path: '/auth/projects', summary: 'List the projects the caller can get a token for.',
  access: policy.ownScopes,
  handle: async ({ actor }, { urls }, { store }) => collection('projects', await store.read((tx) => scopes.projectsOf(tx, actor.userId)), (p) => projectView(p, urls.api), urls),
})

export const listOwnDomains = operation({
  name: 'listOwnDomains', method: 'GET', path: '/auth/domains', summary: 'List the domains the caller can get a token for.',
  access: policy.ownScopes,
  handle: async ({ actor }, { urls }, { store }) => collection('domains', await store.read((tx) => scopes.domainsOf(tx, actor.userId)), (d) => domainView(d, urls.api), urls),
})

export const listOwnSystems = operation({
  name: 'listOwnSystems', method: 'GET', path: '/auth/system', summary: 'Tell whether the caller can get a token for the system.',
  access: policy.ownScopes,
  async handle({ actor }, { urls }, { store }) {
    return { system: await store.read((tx) => scopes.hasSystem(tx, actor.userId)) ? [{ all: true }] : [], links: { self: `${urls.api}/auth/system` } }
  },
})

/** Only what was revoked token by token: all else counts by generations, and whoever validates tokens here need not know. */
export const listRevocations = operation({
  name: 'listRevocationEvents', method: 'GET', path: '/OS-REVOKE/events', summary: 'List revocations of single tokens.',
  access: policy.listRevocations, query: lenient({ since: Type.Optional(Type.String()) }),
  async handle(_ctx, { query, urls }, { store }) {
    const since = Date.parse(query.since ?? '1970-01-01T00:00:00Z')
    if (Number.isNaN(since)) throw badRequest(`invalidate date format ${query.since!.slice(0, 60)}`)
    const rows = await store.read((tx) => tokens.revocations(tx, new Date(since).toISOString()))
    const events = rows.map((row) => ({ audit_id: row.auditId, issued_before: micros(row.revokedAt), revoked_at: micros(row.revokedAt) }))
    return { events, links: { next: null, self: `${urls.api}/OS-REVOKE/events`, previous: null } }
  },
})

// Where people and clients come in by another provider's word.
// https://docs.openstack.org/api-ref/identity/v3-ext/#request-an-unscoped-os-federation-token
import type { IncomingMessage } from 'node:http'
import { createHash } from 'node:crypto'
import { badRequest, forbidden, unsupportedMediaType } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { readBody } from '#kit/http/body.ts'
import { Reply, type Input } from '#kit/http/operation.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { authenticationRequired, clientInError, couldNotComply, missing } from '../faults.ts'
import { receiptFor, withCatalog } from '../tokens/api.ts'
import { MoreMethodsNeeded } from '../tokens/receipts.ts'
import type { Issued } from '../tokens/issue.ts'
import { atDoor, login, type Door, type Said } from './login.ts'
import { firstUse } from './login-store.ts'
import * as oidc from './oidc.ts'
import { Unmapped } from './rules.ts'
import * as saml from './saml.ts'
import { samlKey } from './saml-idp.ts'
import { relyingPartyOf, type RelyingParty, type Saml2Settings } from './settings.ts'
import * as rows from './store.ts'
import { escaped, maxXmlBytes } from './xml.ts'

type In = Input<{ origin?: string, code?: string, state?: string, error?: string }, unknown, undefined>
const paos = 'application/vnd.paos+xml'
const doorPath = '/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}'
const doorUrl = (api: string, { provider, protocol }: Door, part: 'auth' | 'websso'): string =>
  `${api}${part === 'websso' ? '/auth' : ''}/OS-FEDERATION/identity_providers/${encodeURIComponent(provider.id)}/protocols/${encodeURIComponent(protocol.id)}/${part}`
const samlEntityId = (api: string, settings: Saml2Settings): string => settings.own_entity_id ?? `${api}/OS-FEDERATION/saml2/sp`
const query = lenient({ origin: Type.Optional(Type.String()), code: Type.Optional(Type.String()), state: Type.Optional(Type.String()), error: Type.Optional(Type.String()) })

/** The door that a path names: the provider known and enabled, its protocol known, and how to ask it set. */
async function openDoor(deps: Deps, params: Record<string, string>): Promise<{ door: Door, party: RelyingParty }> {
  const { provider, protocol } = await deps.store.read(async (tx) => ({
    provider: await rows.findProvider(tx, params.idp_id!),
    protocol: await rows.findProtocol(tx, params.idp_id!, params.protocol_id!),
  }))
  if (!provider) throw missing('identity provider', params.idp_id!)
  if (provider.enabled !== 1) throw forbidden(`Identity Provider ${provider.id} is disabled`)
  if (!protocol) throw missing('federation protocol', params.protocol_id!)
  const party = relyingPartyOf(deps, protocol)
  if (!party) throw forbidden(`Nothing is set yet of how the identity provider ${provider.id} is asked by ${protocol.id}.`)
  return { door: { provider, protocol }, party }
}

/** Believes a SAML response, once. */
async function once(deps: Deps, response: Uint8Array, settings: Saml2Settings, expected: Omit<saml.Expected, 'key'>): Promise<Said> {
  const believed = await saml.believe(response, settings, { ...expected, key: async () => (await samlKey(deps, 'saml-sp')).privateKey }, deps.clock())
  const { id, expiresAtSeconds } = believed.replay
  if (!await deps.store.tx((tx) => firstUse(tx, id, expiresAtSeconds, Math.floor(deps.clock() / 1000)), { durable: true })) {
    throw new Unmapped('an assertion that was used before')
  }
  return believed
}

/** The token for whom the provider vouches; whoever is bound to more methods gets a receipt. */
async function letIn(ctx: Context, deps: Deps, door: Door, said: Said, caller: { root: string, remoteAddress: string }): Promise<Reply> {
  try { return await tokenReply(deps, await login(ctx, deps, door, said, caller)) } catch (error) {
    if (error instanceof MoreMethodsNeeded) return receiptFor(deps, error, caller.root)
    throw error
  }
}
const tokenReply = async (deps: Deps, issued: Issued): Promise<Reply> =>
  new Reply({ status: 201, headers: { 'x-subject-token': issued.token, vary: 'X-Auth-Token' }, body: await withCatalog(deps, issued, {}) })
const mediaType = (headers: In['headers']): string => String(headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
async function formOf({ stream, headers }: In): Promise<URLSearchParams> {
  if (mediaType(headers) !== 'application/x-www-form-urlencoded') throw unsupportedMediaType('A form is expected: application/x-www-form-urlencoded.')
  return new URLSearchParams((await readBody(stream as IncomingMessage, maxXmlBytes * 2)).toString('utf8'))
}
const responseIn = (form: URLSearchParams): Buffer => Buffer.from(form.get('SAMLResponse') ?? '', 'base64')

/** What this cloud seals for itself and gets back through somebody else's hands; undefined for what it is not. */
function reopened<T extends { endsAtMs: number }>(deps: Deps, owner: string, sealed: string | undefined): T | undefined {
  if (!sealed || sealed.length > 4096) return undefined
  try {
    const value = deps.vault.open(owner, sealed) as T
    return value.endsAtMs > deps.clock() ? value : undefined
  } catch { return undefined }
}
const patienceMs = 600_000

async function authenticate(ctx: Context, input: In, deps: Deps, method: 'GET' | 'POST'): Promise<Reply> {
  const { params, headers, urls, remoteAddress } = input
  const { door, party } = await openDoor(deps, params), caller = { root: urls.root, remoteAddress }
  if (party.kind === 'oidc') {
    const token = /^Bearer +([\w.~+/=-]+)$/i.exec(String(headers.authorization ?? ''))?.[1]
    if (!token) throw authenticationRequired(urls.root)
    const said = await atDoor(ctx, urls.root, door, async () => oidc.bearer(await deps.oidc.get(door.protocol, party), party, token))
    return letIn(ctx, deps, door, said, caller)
  }
  const consumerUrl = doorUrl(urls.api, door, 'auth'), entityId = samlEntityId(urls.api, party), owner = `ecp/${consumerUrl}`
  if (method === 'GET') {
    // Clients that go to the provider themselves say so; nobody else is sent anywhere from here.
    if (headers.paos === undefined && !String(headers.accept ?? '').includes(paos)) throw authenticationRequired(urls.root)
    const id = saml.newRequestId(), relayState = deps.vault.seal(owner, { id, endsAtMs: deps.clock() + patienceMs })
    const request = saml.ecpRequest(saml.authnRequest(id, { entityId, consumerUrl, paos: true }, deps.clock()), consumerUrl, entityId, relayState)
    return new Reply({ status: 200, headers: { 'content-type': paos, 'cache-control': 'no-store' }, body: request })
  }
  const said = await atDoor(ctx, urls.root, door, async () => {
    if (mediaType(headers) === 'application/x-www-form-urlencoded') return once(deps, responseIn(await formOf(input)), party, { entityId, consumerUrl, requestId: undefined })
    const { response, relayState } = await saml.openEnvelope(await readBody(input.stream as IncomingMessage, maxXmlBytes))
    return once(deps, Buffer.from(response), party, { entityId, consumerUrl, requestId: reopened<{ id: string, endsAtMs: number }>(deps, owner, relayState)?.id })
  })
  return letIn(ctx, deps, door, said, caller)
}

export const federatedAuth = operation({
  name: 'authenticateFederated', method: 'GET', path: `${doorPath}/auth`, summary: 'Get an unscoped token by an identity provider\'s word.', access: anyone, query,
  faults: ['unauthorized', 'forbidden', 'notFound'],
  handle: (ctx, input, deps) => authenticate(ctx, input as In, deps, 'GET'),
})
export const federatedAuthPosted = operation({
  name: 'authenticateFederatedPosted', method: 'POST', path: `${doorPath}/auth`,
  summary: 'Get an unscoped token by an identity provider\'s word: an access token, or a SAML response.', access: anyone, query, body: 'stream',
  faults: ['unauthorized', 'forbidden', 'notFound', 'tooLarge', 'unsupportedMediaType'],
  handle: (ctx, input, deps) => authenticate(ctx, input as In, deps, 'POST'),
})

// Browsers: from a dashboard to the provider, and back with a token.

interface Journey extends oidc.Journey { requestId: string, origin: string, endsAtMs: number }
const cookieName = 'pileus_websso'
const cookieIn = (headers: In['headers']): string | undefined =>
  String(headers.cookie ?? '').split(/;\s*/).find((c) => c.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)
const bounded = (origin: string | undefined): string => {
  if (!origin) {
    throw badRequest(`Request must have an origin query parameter. ${couldNotComply} ${clientInError}`)
  }
  return origin.slice(0, 1024)
}
const trusts = (party: RelyingParty, origin: string): boolean => (party.trusted_dashboards ?? []).some((d) => (URL.parse(d)?.href ?? d) === (URL.parse(origin)?.href ?? origin))
const html = (status: number, body: string, headers: Record<string, string> = {}): Reply => new Reply({
  status, body: `<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Signing in</title></head><body>${body}</body></html>\n`,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', ...headers },
})
const submit = 'document.forms[0].submit()'
const submitHash = createHash('sha256').update(submit).digest('base64')

/**
 * Where somebody goes who started at his provider: where it says, or to the one dashboard there is. Providers that may send what nobody asked for are named by an
 * administrator.
 */
function unasked(party: Saml2Settings, form: URLSearchParams): string | undefined {
  if (!party.allow_unsolicited) return undefined
  const wanted = form.get('RelayState')?.slice(0, 1024), dashboards = party.trusted_dashboards ?? []
  if (wanted && trusts(party, wanted)) return wanted
  return dashboards.length === 1 ? dashboards[0] : undefined
}

/** The page that carries the token to the dashboard. */
function handOver(origin: string, token: string, cookie: string): Reply {
  const field = `<input type="hidden" name="token" id="token" value="${escaped(token)}">`
  const button = '<noscript><input type="submit" name="Submit_noscript" id="Submit_noscript" value="Submit"></noscript>'
  const form = `<form id="sso" name="sso" action="${escaped(origin)}" method="post">Please wait...<br>${field}${button}</form>`
  return html(200, `${form}<script>${submit}</script>`,
    { 'content-security-policy': `default-src 'none'; script-src 'sha256-${submitHash}'`, 'set-cookie': cookie })
}

async function websso(ctx: Context, input: In, deps: Deps, method: 'GET' | 'POST'): Promise<Reply> {
  const { params, query, headers, urls, remoteAddress } = input
  const { door, party } = await openDoor(deps, params), here = doorUrl(urls.api, door, 'websso')
  const owner = `websso/${here}`, secure = here.startsWith('https:')
  // A provider's answer by POST comes across sites: only a cookie that says so comes with it, and only over TLS.
  const site = secure ? `; Secure; SameSite=${party.kind === 'oidc' ? 'Lax' : 'None'}` : ''
  const cookie = (value: string, seconds: number): string =>
    `${cookieName}=${value}; Path=${new URL(here).pathname}; Max-Age=${seconds}; HttpOnly${site}`
  const said = await atDoor(ctx, urls.root, door, async (): Promise<{ said: Said, origin: string } | Reply> => {
    if (method === 'GET' && query.state === undefined) {
      const origin = bounded(query.origin)
      if (!trusts(party, origin)) throw new Unmapped(`${origin} is not a trusted dashboard`)
      const requestId = saml.newRequestId()
      const leave = (to: string, journey: oidc.Journey): Reply => {
        const sealed = deps.vault.seal(owner, { ...journey, requestId, origin, endsAtMs: deps.clock() + patienceMs } satisfies Journey)
        return new Reply({ status: 302, headers: { location: to, 'cache-control': 'no-store', 'set-cookie': cookie(sealed, patienceMs / 1000) } })
      }
      if (party.kind === 'oidc') {
        const { to, journey } = await oidc.setOut(await deps.oidc.get(door.protocol, party), party, here)
        return leave(to.href, journey)
      }
      if (!party.sso_url) throw new Unmapped('the provider has no sso_url')
      const request = saml.authnRequest(requestId, { entityId: samlEntityId(urls.api, party), consumerUrl: here, destination: party.sso_url }, deps.clock())
      return leave(saml.redirectWith(request, party.sso_url, requestId), { state: '', nonce: '', verifier: '' })
    }
    const journey = reopened<Journey>(deps, owner, cookieIn(headers))
    const astray = new Unmapped('nobody set out from this browser, or too long ago')
    if (party.kind === 'oidc') {
      if (!journey) throw astray
      const at = new URL(here)
      at.search = urls.search.toString()
      return { said: await oidc.comeBack(await deps.oidc.get(door.protocol, party), party, at, journey), origin: journey.origin }
    }
    const form = await formOf(input), origin = journey?.origin ?? unasked(party, form)
    if (origin === undefined) throw astray
    return { said: await once(deps, responseIn(form), party, { entityId: samlEntityId(urls.api, party), consumerUrl: here, requestId: journey?.requestId }), origin }
  })
  if (said instanceof Reply) return said
  // Who was trusted when the journey began may be no more.
  if (!trusts(party, said.origin)) throw authenticationRequired(urls.root)
  const issued = await login(ctx, deps, door, said.said, { root: urls.root, remoteAddress })
  return handOver(said.origin, issued.token, cookie('', 0))
}

export const webssoOfProvider = operation({
  name: 'webssoOfProvider', method: 'GET', path: `/auth${doorPath}/websso`, summary: 'Sign in with a browser at an identity provider, for a trusted dashboard.',
  access: anyone, query,
  faults: ['unauthorized', 'forbidden', 'notFound'],
  handle: (ctx, input, deps) => websso(ctx, input as In, deps, 'GET'),
})
export const webssoOfProviderPosted = operation({
  name: 'webssoOfProviderPosted', method: 'POST', path: `/auth${doorPath}/websso`, summary: 'Come back from an identity provider with its SAML response.',
  access: anyone, query, body: 'stream',
  faults: ['unauthorized', 'forbidden', 'notFound', 'tooLarge', 'unsupportedMediaType'],
  handle: (ctx, input, deps) => websso(ctx, input as In, deps, 'POST'),
})

/** Without a provider's name: the one that speaks the protocol for this dashboard; of several, people choose. */
async function choose(input: In, deps: Deps): Promise<Reply> {
  const { params, query, urls } = input, origin = bounded(query.origin)
  const speaking = await deps.store.read((tx) => rows.protocolsNamed(tx, params.protocol_id!))
  const candidates = speaking.filter((row) => {
    const party = relyingPartyOf(deps, row)
    return party && trusts(party, origin)
  })
  if (candidates.length === 0) throw authenticationRequired(urls.root)
  const to = (idpId: string): string =>
    `${urls.api}/auth/OS-FEDERATION/identity_providers/${encodeURIComponent(idpId)}/protocols/${encodeURIComponent(params.protocol_id!)}/websso?${new URLSearchParams({ origin })}`
  if (candidates.length === 1) return new Reply({ status: 302, headers: { location: to(candidates[0]!.idpId), 'cache-control': 'no-store' } })
  const links = candidates.map((row) => `<li><a href="${escaped(to(row.idpId))}">${escaped(row.idpId)}</a></li>`)
  return html(200, `<p>Sign in with</p><ul>${links.join('')}</ul>`, { 'content-security-policy': 'default-src \'none\'' })
}
export const webssoOfProtocol = operation({
  name: 'webssoOfProtocol', method: 'GET', path: '/auth/OS-FEDERATION/websso/{protocol_id}',
  summary: 'Sign in with a browser at whichever identity provider speaks a protocol.', access: anyone, query,
  faults: ['unauthorized'],
  handle: (_ctx, input, deps) => choose(input as In, deps),
})
export const webssoOfProtocolPosted = operation({
  name: 'webssoOfProtocolPosted', method: 'POST', path: '/auth/OS-FEDERATION/websso/{protocol_id}',
  summary: 'Sign in with a browser at whichever identity provider speaks a protocol.', access: anyone, query, body: 'stream',
  faults: ['unauthorized'],
  handle: (_ctx, input, deps) => choose(input as In, deps),
})

/** What a provider is told of this cloud: where its answers go, and with which key it may encrypt them. */
export const relyingPartyMetadata = operation({
  name: 'showRelyingPartyMetadata', method: 'GET', path: `${doorPath}/relying_party/metadata`,
  summary: 'The SAML metadata of this cloud as a service provider (Pileus\'s own).', access: anyone,
  faults: ['forbidden', 'notFound'],
  async handle(_ctx, { params, urls }, deps) {
    const { door, party } = await openDoor(deps, params)
    if (party.kind !== 'saml2') throw missing('SAML metadata', door.protocol.id)
    const { certificate } = await samlKey(deps, 'saml-sp')
    const browsers = doorUrl(urls.api, door, 'websso'), clients = doorUrl(urls.api, door, 'auth')
    const metadata = saml.spMetadata({ entityId: samlEntityId(urls.api, party), browsers, clients, certificate })
    return new Reply({ headers: { 'content-type': 'application/samlmetadata+xml' }, body: metadata })
  },
})

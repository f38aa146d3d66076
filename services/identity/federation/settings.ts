// How this cloud asks a provider: Pileus's own addition to OS-FEDERATION, in the place of a web server's module and its files. Sealed at rest.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { badRequest, notFound } from '#base/errors.ts'
import { exact, nullable, oneOf, Type, type Static } from '#kit/http/schema.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { protocols } from './api.ts'
import { found } from './named.ts'
import * as policy from './policy.ts'
import type { ProtocolRow } from './schema.ts'
import * as rows from './store.ts'

const text = (maxLength = 255) => Type.String({ minLength: 1, maxLength })
const dashboards = Type.Optional(Type.Array(text(1024), { maxItems: 20 }))
const oidc = exact({
  kind: oneOf('oidc'), issuer: text(1024), client_id: text(), client_secret: Type.Optional(nullable(text(4096))),
  client_authentication: Type.Optional(oneOf('basic', 'post', 'none')),
  scopes: Type.Optional(Type.Array(text(), { maxItems: 50 })), audiences: Type.Optional(Type.Array(text(1024), { maxItems: 20 })), introspect: Type.Optional(Type.Boolean()),
  userinfo: Type.Optional(Type.Boolean()), endpoint_hosts: Type.Optional(Type.Array(text(), { maxItems: 20 })), trusted_dashboards: dashboards,
})
const saml2 = exact({
  kind: oneOf('saml2'), entity_id: text(1024), sso_url: Type.Optional(nullable(text(2048))), certificates: Type.Array(text(16_384), { minItems: 1, maxItems: 10 }),
  own_entity_id: Type.Optional(nullable(text(1024))), allow_unsolicited: Type.Optional(Type.Boolean()), trusted_dashboards: dashboards,
})
export type OidcSettings = Static<typeof oidc>
export type Saml2Settings = Static<typeof saml2>
export type RelyingParty = OidcSettings | Saml2Settings

const owner = (row: ProtocolRow): string => `relying-party/${row.idpId}/${row.id}`
/** How the provider is asked, opened; undefined when nobody has said yet. */
export const relyingPartyOf = (deps: Pick<Deps, 'vault'>, row: ProtocolRow): RelyingParty | undefined =>
  (row.relyingParty === null ? undefined : deps.vault.open(owner(row), row.relyingParty) as RelyingParty)

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
function checkUrl(name: string, value: string): URL {
  const url = URL.parse(value)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.hash !== '') throw badRequest(`Invalid input for field/attribute ${name}. It must be an https URL.`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw badRequest(`Invalid input for field/attribute ${name}. Only providers on this machine are asked without TLS.`)
  return url
}
function checked(party: RelyingParty): RelyingParty {
  for (const dashboard of party.trusted_dashboards ?? []) {
    if (!/^https?:$/.test(URL.parse(dashboard)?.protocol ?? '')) throw badRequest('Invalid input for field/attribute trusted_dashboards. Each must be a URL.')
  }
  if (party.kind === 'oidc') {
    checkUrl('issuer', party.issuer)
    if (party.client_authentication !== 'none' && party.client_authentication !== undefined && !party.client_secret) throw badRequest('\'client_secret\' is a required property')
    return party
  }
  if (party.sso_url) checkUrl('sso_url', party.sso_url)
  return { ...party, certificates: party.certificates.map((pem) => {
    const whole = pem.includes('-----BEGIN') ? pem : `-----BEGIN CERTIFICATE-----\n${pem.replace(/\s+/g, '').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
    try { return new X509Certificate(whole).toString() } catch { throw badRequest('Invalid input for field/attribute certificates. Each must be an X.509 certificate in PEM.') }
  }) }
}

/** What was set, without its secret. */
const view = (party: RelyingParty, row: ProtocolRow, api: string): object => {
  const { client_secret: secret, ...shown } = party as OidcSettings
  const base = `${api}/OS-FEDERATION/identity_providers/${row.idpId}/protocols/${row.id}`
  const websso = `${api}/auth${base.slice(api.length)}/websso`
  const own = party.kind === 'oidc' ? { redirect_uri: websso } : { acs: websso, ecp: `${base}/auth`, metadata: `${base}/relying_party/metadata` }
  return { ...shown, ...(party.kind === 'oidc' && { has_client_secret: Boolean(secret) }), links: { self: `${base}/relying_party`, ...own } }
}

const path = '/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/relying_party'
const notSet = (params: Record<string, string>): Error => notFound(`The protocol ${params.protocol_id} of the identity provider ${params.idp_id} has no relying party.`)

export const setRelyingParty = operation({
  name: 'setRelyingParty', method: 'PUT', path, summary: 'Say how this cloud asks an identity provider (Pileus\'s own).', status: 200, access: policy.change,
  body: exact({ relying_party: Type.Union([oidc, saml2]) }),
  faults: ['notFound'],
  async handle(_ctx, { params, body, urls }, { store, vault }) {
    const party = checked(body.relying_party)
    const row = await store.tx(async (tx: IdentityTx) => {
      const was = await found(protocols, tx, params)
      const next = { ...was, relyingParty: vault.seal(owner(was), party), revision: was.revision + 1 }
      await rows.saveProtocol(tx, was, next)
      return next
    })
    return { relying_party: view(party, row, urls.api) }
  },
})

export const showRelyingParty = operation({
  name: 'showRelyingParty', method: 'GET', path, summary: 'Show how this cloud asks an identity provider, without secrets (Pileus\'s own).', access: policy.read,
  faults: ['notFound'],
  async handle(_ctx, { params, urls }, deps) {
    const row = await deps.store.read((tx) => found(protocols, tx, params)), party = relyingPartyOf(deps, row)
    if (!party) throw notSet(params)
    return { relying_party: view(party, row, urls.api) }
  },
})

export const removeRelyingParty = operation({
  name: 'removeRelyingParty', method: 'DELETE', path, summary: 'Ask an identity provider no more (Pileus\'s own).', access: policy.change,
  faults: ['notFound'],
  async handle(_ctx, { params }, { store }) {
    await store.tx(async (tx) => {
      const was = await found(protocols, tx, params)
      if (was.relyingParty === null) throw notSet(params)
      await rows.saveProtocol(tx, was, { ...was, relyingParty: null, revision: was.revision + 1 })
    })
  },
})

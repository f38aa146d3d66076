// Assertions that are encrypted for this cloud, and people who start at their provider.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { newSamlKey, vouch, type Vouched } from './saml-provider.testing.ts'

const entity = 'https://idp.example/metadata', dashboard = 'https://dashboard.example/auth/websso/', other = 'https://other.example/sso/', names = { idp_id: 'acme', protocol_id: 'saml2' }
const key = newSamlKey(), door = '/OS-FEDERATION/identity_providers/acme/protocols/saml2'
let api: IdentityApi, certificate: string, metadata: string
const party = (over: object = {}) => api.admin('setRelyingParty', { params: names, body: { relying_party: { kind: 'saml2', entity_id: entity, certificates: [key.certificate], allow_unsolicited: true, trusted_dashboards: [dashboard], ...over } } })
before(async () => {
  api = await startIdentity({ quiet: true })
  await api.admin('createIdentityProvider', { params: { idp_id: 'acme' }, body: { identity_provider: { enabled: true } } })
  await api.admin('createMapping', { params: { mapping_id: 'm' }, body: { mapping: { rules: [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'MELLON_NAME_ID' }] }] } } })
  await api.admin('createFederationProtocol', { params: names, body: { protocol: { mapping_id: 'm' } } })
  const { links } = (await party()).relying_party
  const shown = await api.http('GET', links.metadata.slice(api.publicUrl.length))
  assert.deepEqual([shown.status, shown.headers.get('content-type')], [200, 'application/samlmetadata+xml'])
  metadata = shown.bytes.toString()
  certificate = new X509Certificate(Buffer.from(/X509Certificate>([^<]+)</.exec(metadata)![1]!, 'base64')).toString()
})
after(() => api.close())

const send = async (over: Partial<Vouched> = {}, at = `${door}/auth`, fields: Record<string, string> = {}) => {
  const to = `${api.publicUrl}/identity/v3${at}`, response = await vouch(key, { entity, name: 'alice', to, ...over })
  const body = new URLSearchParams({ SAMLResponse: Buffer.from(response).toString('base64'), ...fields }).toString()
  return api.http('POST', `/identity/v3${at}`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })
}

test('metadata says where answers go', () => {
  for (const part of [`/OS-FEDERATION/saml2/sp"`, `Location="${api.publicUrl}/identity/v3/auth${door}/websso"`, `Location="${api.publicUrl}/identity/v3${door}/auth"`, 'bindings:PAOS']) assert.ok(metadata.includes(part), part)
})

test('an assertion that is encrypted for this cloud lets in whom it is about', async () => {
  for (const content of ['aes256-gcm', 'aes128-gcm'] as const) {
    const reply = await send({ encrypt: { certificate, content } })
    assert.deepEqual([reply.status, reply.body.token?.user.name], [201, 'alice'], content)
  }
  for (const content of ['aes256-gcm', 'aes256-cbc'] as const) assert.equal((await send({ encrypt: { certificate, content }, signs: 'Response' })).status, 201, `${content}, the response signed`)
})

test('nothing is opened that could be tried out, and nothing in it believed that is not signed', async () => {
  const stranger = newSamlKey()
  const cases: Record<string, Partial<Vouched>> = {
    'CBC without a signature around it': { encrypt: { certificate, content: 'aes256-cbc' } }, 'RSA without OAEP': { encrypt: { certificate, transport: 'rsa-1_5' } }, 'for somebody else': { encrypt: { certificate: stranger.certificate } },
    'a changed name': { encrypt: { certificate }, bend: (text) => text.replace('>alice<', '>admin<') }, 'no signature': { encrypt: { certificate }, bend: (text) => text.replace(/<(?:ds:)?Signature[\s\S]*<\/(?:ds:)?Signature>/, '') },
    'SHA-1 inside': { encrypt: { certificate }, digest: 'sha1' }, 'a DTD inside': { encrypt: { certificate }, bend: (text) => `<!DOCTYPE a [<!ENTITY b "c">]>${text}` }, 'nothing inside': { encrypt: { certificate }, bend: () => 'x' },
  }
  for (const [why, over] of Object.entries(cases)) assert.equal((await send(over)).status, 401, why)
})

test('who starts at his provider comes to a trusted dashboard, once, where the provider may send what nobody asked for', async () => {
  const websso = `/auth${door}/websso`, action = (reply: { bytes: Buffer }) => /action="([^"]+)"/.exec(reply.bytes.toString())?.[1]
  assert.equal(action(await send({}, websso)), dashboard, 'the only one')
  assert.equal(action(await send({}, websso, { RelayState: 'https://evil.example/' })), dashboard, 'whatever else the provider says')
  assert.equal((await send({ inResponseTo: '_x' }, websso)).status, 401, 'the answer to somebody else')
  const to = `${api.publicUrl}/identity/v3${websso}`, once = new URLSearchParams({ SAMLResponse: Buffer.from(await vouch(key, { entity, name: 'alice', to })).toString('base64') }).toString()
  const post = () => api.http('POST', `/identity/v3${websso}`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: once })
  assert.deepEqual([(await post()).status, (await post()).status], [200, 401], 'once')
  await party({ trusted_dashboards: [dashboard, other] })
  assert.equal(action(await send({}, websso, { RelayState: other })), other)
  for (const RelayState of ['', 'https://evil.example/']) assert.equal((await send({}, websso, { RelayState })).status, 401, 'which one?')
  await party({ trusted_dashboards: [] })
  assert.equal((await send({}, websso)).status, 401, 'no dashboard')
  await party({ allow_unsolicited: false })
  assert.equal((await send({}, websso)).status, 401, 'nobody asked')
})

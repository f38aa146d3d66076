// Providers, protocols, mappings and service providers on the wire, as keystone has them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi, base: string
const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'REMOTE_USER' }] }]
before(async () => { api = await startIdentity({ quiet: true }); base = `${api.publicUrl}/identity/v3/OS-FEDERATION` })
after(() => api.close())
const fed = (method: string, path: string, body?: unknown) => api.http(method, `/identity/v3/OS-FEDERATION${path}`, { token: api.adminToken, ...(body !== undefined && { body }) })
const ids = (reply: { body: any }, key: string): string[] => reply.body[key].map((one: any) => one.id)

test('identity providers: a domain of their own or a given one, remote ids that are nobody else\'s, filters', async () => {
  const made = await fed('PUT', '/identity_providers/acme', { identity_provider: { remote_ids: ['https://acme.example'], description: 'theirs' } })
  const { identity_provider: acme } = made.body
  assert.deepEqual([made.status, acme], [201, {
    id: 'acme', enabled: false, description: 'theirs', remote_ids: ['https://acme.example'], domain_id: acme.domain_id, authorization_ttl: null,
    links: { self: `${base}/identity_providers/acme`, protocols: `${base}/identity_providers/acme/protocols` },
  }])
  assert.equal((await api.admin('showDomain', { params: { domain_id: acme.domain_id } })).domain.name, acme.domain_id)
  assert.equal((await fed('PUT', '/identity_providers/acme', { identity_provider: {} })).status, 409)
  const domains = async () => (await api.admin('listDomains', {})).domains.length, before = await domains()
  assert.equal((await fed('PUT', '/identity_providers/thief', { identity_provider: { remote_ids: ['https://acme.example'] } })).status, 409)
  assert.equal(await domains(), before, 'nothing of it stays')
  assert.equal((await fed('PUT', '/identity_providers/lost', { identity_provider: { domain_id: 'nosuch' } })).status, 404)
  assert.equal((await fed('PUT', '/identity_providers/home', { identity_provider: { domain_id: 'default', enabled: true } })).body.identity_provider.domain_id, 'default')
  for (const [query, wanted] of [['', ['acme', 'home']], ['?enabled=true', ['home']], ['?enabled=False', ['acme']], ['?id=acme', ['acme']], ['?id=acme&enabled=1', []]] as const) assert.deepEqual(ids(await fed('GET', `/identity_providers${query}`), 'identity_providers'), wanted, query)
  for (const bad of [{}, { domain_id: 'default' }, { enabled: 'maybe' }, { remote_ids: ['a', 'a'] }, { colour: 'red' }, { authorization_ttl: -1 }]) assert.equal((await fed('PATCH', '/identity_providers/acme', { identity_provider: bad })).status, 400, JSON.stringify(bad))
  const changed = (await fed('PATCH', '/identity_providers/acme', { identity_provider: { enabled: true, authorization_ttl: 5, remote_ids: null } })).body.identity_provider
  assert.deepEqual([changed.enabled, changed.authorization_ttl, changed.remote_ids, changed.description], [true, 5, [], 'theirs'])
  assert.deepEqual([(await fed('HEAD', '/identity_providers/acme')).status, (await fed('GET', '/identity_providers/nosuch')).status, (await fed('PATCH', '/identity_providers/nosuch', { identity_provider: { enabled: true } })).status], [200, 404, 404])
  assert.deepEqual([(await fed('DELETE', '/identity_providers/home')).status, (await fed('DELETE', '/identity_providers/home')).status], [204, 404])
})

test('mappings and protocols: lists of protocols say more than one does', async () => {
  const mapping = await fed('PUT', '/mappings/m', { mapping: { rules } })
  assert.deepEqual([mapping.status, mapping.body.mapping], [201, { id: 'm', rules, schema_version: '1.0', links: { self: `${base}/mappings/m` } }])
  for (const bad of [{}, { rules: [] }, { rules: [{ local: [], remote: [] }] }, { rules, schema_version: '9' }]) assert.equal((await fed('PUT', '/mappings/bad', { mapping: bad })).status, 400, JSON.stringify(bad))
  const at = '/identity_providers/acme/protocols', links = { self: `${base}${at}/saml2`, identity_provider: `${base}/identity_providers/acme` }
  const made = await fed('PUT', `${at}/saml2`, { protocol: { mapping_id: 'm' } })
  assert.deepEqual([made.status, made.body.protocol], [201, { id: 'saml2', mapping_id: 'm', links }])
  assert.deepEqual((await fed('GET', at)).body.protocols, [{ id: 'saml2', idp_id: 'acme', mapping_id: 'm', remote_id_attribute: null, links }])
  assert.deepEqual((await fed('PATCH', `${at}/saml2`, { protocol: { mapping_id: 'm', remote_id_attribute: 'MELLON_IDP' } })).body.protocol, { id: 'saml2', mapping_id: 'm', remote_id_attribute: 'MELLON_IDP', links })
  for (const [status, path, protocol] of [[409, 'saml2', { mapping_id: 'm' }], [400, 'other', { mapping_id: 'nosuch' }], [400, 'other', {}]] as const) assert.equal((await fed('PUT', `${at}/${path}`, { protocol })).status, status)
  assert.deepEqual([(await fed('PUT', '/identity_providers/nosuch/protocols/saml2', { protocol: { mapping_id: 'm' } })).status, (await fed('GET', '/identity_providers/nosuch/protocols')).status, (await fed('PATCH', `${at}/saml2`, { protocol: {} })).status], [404, 404, 400])
  assert.deepEqual([(await fed('DELETE', `${at}/saml2`)).status, (await fed('GET', `${at}/saml2`)).status], [204, 404])
})

test('service providers', async () => {
  const given = { auth_url: 'https://there.example/v3', sp_url: 'https://there.example/sp' }, made = await fed('PUT', '/service_providers/there', { service_provider: given })
  assert.deepEqual([made.status, made.body.service_provider], [201, { id: 'there', ...given, description: null, enabled: false, relay_state_prefix: 'ss:mem:', links: { self: `${base}/service_providers/there` } }])
  assert.equal((await fed('PATCH', '/service_providers/there', { service_provider: { enabled: true } })).body.service_provider.enabled, true)
  for (const [query, wanted] of [['?enabled=1', ['there']], ['?enabled=0', []], ['?id=there', ['there']]] as const) assert.deepEqual(ids(await fed('GET', `/service_providers${query}`), 'service_providers'), wanted, query)
  for (const bad of [{ auth_url: given.auth_url }, { ...given, sp_url: 'nonsense' }, { ...given, colour: 'red' }]) assert.equal((await fed('PUT', '/service_providers/bad', { service_provider: bad })).status, 400)
  assert.deepEqual([(await fed('DELETE', '/service_providers/there')).status, (await fed('GET', '/service_providers/there')).status], [204, 404])
})

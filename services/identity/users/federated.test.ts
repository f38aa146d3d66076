// Who vouches for users, as administrators set it; logins by these links are tried with a provider's signed word.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queriesOf } from '#kit/testing/queries.ts'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { publicId } from '../federation/login-store.ts'
import { newSamlKey, vouch } from '../federation/saml-provider.testing.ts'

const key = newSamlKey()
let api: IdentityApi
const link = (unique_id: string, idp_id = 'acme', protocol_id = 'saml2') => ({ idp_id, protocols: [{ protocol_id, unique_id }] })
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const protocol = (idp: string, id: string) => api.admin('createFederationProtocol', { params: { idp_id: idp, protocol_id: id }, body: { protocol: { mapping_id: 'm' } } })
const person = async (name: string, federated?: object[], more: object = {}): Promise<any> => (await api.admin('createUser', { body: { user: { name, ...(federated && { federated }), ...more } } })).user

before(async () => {
  api = await startIdentity({ quiet: true, scoped: true })
  await api.admin('createMapping', { params: { mapping_id: 'm' }, body: { mapping: { rules: [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'MELLON_NAME_ID' }] }] } } })
  for (const idp of ['acme', 'other']) {
    await api.admin('createIdentityProvider', { params: { idp_id: idp }, body: { identity_provider: { enabled: true } } })
    for (const id of ['saml2', 'openid']) await protocol(idp, id)
  }
})
after(() => api.close())

/** Comes in by a signed word of acme's. */
async function comeIn(name: string, protocolId = 'saml2'): Promise<any> {
  const path = `/identity/v3/OS-FEDERATION/identity_providers/acme/protocols/${protocolId}`, entity = 'https://acme.example'
  await api.admin('setRelyingParty', { params: { idp_id: 'acme', protocol_id: protocolId }, body: { relying_party: { kind: 'saml2', entity_id: entity, certificates: [key.certificate], allow_unsolicited: true } } })
  const response = await vouch(key, { entity, name, to: `${api.publicUrl}${path}/auth` })
  return api.http('POST', `${path}/auth`, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ SAMLResponse: Buffer.from(response).toString('base64') }).toString() })
}

test('shown where one user is, not in lists; a list of links replaces all, an empty one none', async () => {
  const federated = [{ idp_id: 'acme', protocols: [{ protocol_id: 'saml2', unique_id: 'jo' }, { protocol_id: 'openid', unique_id: 'jo@acme' }] }, link('jo', 'other')]
  const made = await person('jo', federated), show = async () => (await v3('GET', `/users/${made.id}`)).body.user.federated
  assert.deepEqual(made.federated, federated)
  assert.deepEqual((await show()).map((f: any) => [f.idp_id, f.protocols.length]), [['acme', 2], ['other', 1]])
  assert.ok(!JSON.stringify((await v3('GET', '/users?name=jo')).body.users).includes('federated'))
  for (const none of [{ description: 'x' }, { federated: [] }]) assert.equal((await v3('PATCH', `/users/${made.id}`, { user: none })).body.user.federated.length, 2)
  assert.deepEqual((await v3('PATCH', `/users/${made.id}`, { user: { federated: [link('jo2')] } })).body.user.federated, [link('jo2')])
  assert.deepEqual(await show(), [link('jo2')])
  assert.equal('federated' in await person('nobody', []), false)
})

test('what is not there, somebody else\'s or malformed is refused, and nothing of it stays', async () => {
  await person('owner', [link('owned')])
  const cases: [number, unknown][] = [
    [400, [link('x', 'nosuch')]], [400, [link('x', 'acme', 'nosuch')]], [409, [link('owned')]], [409, [link('twice'), link('twice')]],
    [400, null], [400, 'x'], [400, [{}]], [400, [{ idp_id: 'acme', protocols: [] }]], [400, [{ idp_id: 'acme', protocols: [{ protocol_id: 'saml2' }] }]], [400, [{ idp_id: 'acme', protocols: [{ protocol_id: 'saml2', unique_id: 7 }] }]],
  ]
  const victim = await person('victim', [link('victim')])
  for (const [status, federated] of cases) {
    assert.equal((await v3('POST', '/users', { user: { name: 'refused', federated } })).status, status, JSON.stringify(federated))
    assert.equal((await v3('PATCH', `/users/${victim.id}`, { user: { federated, description: 'changed' } })).status, status, JSON.stringify(federated))
  }
  assert.equal((await v3('GET', '/users?name=refused')).body.users.length, 0)
  const { user } = (await v3('GET', `/users/${victim.id}`)).body
  assert.deepEqual([user.federated, user.description], [[link('victim')], undefined])
})

test('many links cost no more queries than a few', async () => {
  const cost = async (size: number): Promise<number> => {
    const { id } = await person(`many-${size}`), before = api.store.queries
    assert.equal((await v3('PATCH', `/users/${id}`, { user: { federated: [{ idp_id: 'acme', protocols: Array.from({ length: size }, (_x, i) => ({ protocol_id: 'saml2', unique_id: `${size}-${i}` })) }] } })).status, 200)
    return api.store.queries - before
  }
  assert.equal(await cost(50), await cost(2))
})

test('lists by provider, protocol and unique id, of one link and with the other filters, at a constant number of queries', async () => {
  await person('lea', [link('lea-a'), link('lea-o', 'other', 'openid')])
  await person('max', [link('max-a')], { enabled: false })
  const names = async (query: string): Promise<string[]> => (await v3('GET', `/users?${query}`)).body.users.map((u: any) => u.name).filter((n: string) => ['lea', 'max'].includes(n)).sort()
  assert.deepEqual(await names('idp_id=acme'), ['lea', 'max'])
  assert.deepEqual(await names('idp_id=other'), ['lea'])
  assert.deepEqual(await names('protocol_id=openid'), ['lea'])
  assert.deepEqual(await names('unique_id=max-a'), ['max'])
  assert.deepEqual(await names('idp_id=acme&protocol_id=saml2&unique_id=lea-a'), ['lea'])
  assert.deepEqual(await names('idp_id=acme&protocol_id=openid'), [], 'not of two links')
  assert.deepEqual(await names('idp_id=acme&enabled=false'), ['max'])
  assert.deepEqual(await names('idp_id=acme&name=lea'), ['lea'])
  assert.deepEqual(await names('unique_id__startswith=lea-'), ['lea'])
  assert.deepEqual(await names('idp_id=nosuch'), [])
  const cost = (path: string): Promise<number> => queriesOf(api.store, () => v3('GET', path))
  assert.equal(await cost('/users?idp_id=acme'), await cost('/users?idp_id=acme&limit=1'))
})

test('a user who was linked comes in as himself, keeps his name, and heeds his rules', async () => {
  const local = await person('linked', [link('acme-linked')], { password: 'pw' })
  const reply = await comeIn('acme-linked')
  assert.deepEqual([reply.status, reply.body.token.user.id, reply.body.token.user.name], [201, local.id, 'linked'])
  const held = reply.headers.get('x-subject-token')!
  assert.equal((await v3('GET', '/auth/projects', undefined, held)).status, 200)
  await v3('PATCH', `/users/${local.id}`, { user: { options: { multi_factor_auth_enabled: true, multi_factor_auth_rules: [['mapped', 'password']] } } })
  const receipt = await comeIn('acme-linked')
  assert.deepEqual([receipt.status, receipt.body.receipt?.methods], [401, ['mapped']])
  const whole = await api.http('POST', '/identity/v3/auth/tokens', { headers: { 'openstack-auth-receipt': receipt.headers.get('openstack-auth-receipt')! }, body: { auth: { identity: { methods: ['password'], password: { user: { id: local.id, password: 'pw' } } } } } })
  assert.equal(whole.status, 201)
  await v3('PATCH', `/users/${local.id}`, { user: { federated: [link('another')] } })
  assert.equal((await v3('GET', '/auth/projects', undefined, held)).status, 401, 'who lost a link has no tokens by it')
  const stranger = (await comeIn('acme-linked')).body.token.user
  assert.notEqual(stranger.id, local.id)
})

test('whom a login made and an administrator linked anew is somebody else for the old name', async () => {
  const first = (await comeIn('wanderer')).body.token.user
  assert.equal(first.id, publicId('acme', 'saml2', 'wanderer'))
  await v3('PATCH', `/users/${first.id}`, { user: { federated: [link('settled')] } })
  assert.equal((await comeIn('settled')).body.token.user.id, first.id)
  const next = (await comeIn('wanderer')).body.token.user
  assert.notEqual(next.id, first.id)
  assert.equal((await comeIn('wanderer')).body.token.user.id, next.id)
})

test('a domain\'s manager links to providers of his domain only', async () => {
  const token = api.as('domainManager')!, domainId = (await v3('GET', `/users/${api.userId('domainManager')}`)).body.user.domain_id
  const make = (name: string, federated: unknown) => v3('POST', '/users', { user: { name, domain_id: domainId, federated } }, token)
  assert.equal((await make('grabbed', [link('ceo')])).status, 400, 'whoever vouches for others\' rights')
  await api.admin('createIdentityProvider', { params: { idp_id: 'own' }, body: { identity_provider: { enabled: true, domain_id: domainId } } })
  await protocol('own', 'saml2')
  assert.equal((await make('colleague', [link('colleague', 'own')])).status, 201)
})

test('a protocol that goes takes its links, and whom it alone made; a provider too; a user his own', async () => {
  const local = await person('staying', [link('staying', 'acme', 'openid'), link('staying', 'other', 'openid')]), gone = (await comeIn('leaving', 'openid')).body.token.user, kept = (await comeIn('kept', 'openid')).body.token.user
  await v3('PATCH', `/users/${kept.id}`, { user: { federated: [link('kept', 'acme', 'openid'), link('kept', 'other', 'openid')] } })
  const links = async (id: string) => { const reply = await v3('GET', `/users/${id}`); return reply.status === 200 ? (reply.body.user.federated ?? []).map((f: any) => f.idp_id) : reply.status }
  await v3('DELETE', '/OS-FEDERATION/identity_providers/acme/protocols/openid')
  assert.deepEqual([await links(local.id), await links(gone.id), await links(kept.id)], [['other'], 404, ['other']])
  await v3('DELETE', '/OS-FEDERATION/identity_providers/other')
  assert.deepEqual([await links(local.id), await links(kept.id)], [[], 404])
  const leaving = await person('going', [link('going')])
  await v3('DELETE', `/users/${leaving.id}`)
  await person('coming', [link('going')])
})

// OAuth2 by TLS certificate: whose it is, what the token is bound to, and that nothing but our own socket is believed.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Agent, request, type RequestOptions } from 'node:https'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { operationsOf } from '#kit/http/operation.ts'
import { createApi } from '#kit/http/server.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { authenticate } from '../authenticate.ts'
import { startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'
import { certify, type Issued, type Names } from './certificates.testing.ts'
import { namesOf } from './names.ts'

const root = certify([['CN', 'root.example'], ['O', 'Example']]), other = certify([['CN', 'root.example'], ['O', 'Example']]), server = certify([['CN', 'cloud']], root, { server: true })
let api: IdentityApi, tls: Server, plain: Server, who: Inhabitant, mine: Issued

const listening = async (server: Server): Promise<Server> => { await new Promise<void>((done) => server.listen(0, '127.0.0.1', done)); return server }
const serve = (clientCa?: string): Promise<Server> => listening(createApi({
  services: [api.mounted('identity'), { deps: undefined, service: {
    name: 'elsewhere', mount: '/elsewhere', prefixes: [''], operations: [operationsOf<undefined>()({ name: 'whoami', method: 'GET', path: '/me', summary: 'x', access: authenticated, handle: async ({ actor }) => ({ actor }) })],
    envelope: (fault) => ({ message: fault.message }),
  } }],
  publicUrl: api.publicUrl, authenticate: authenticate(api.deps, () => `${api.publicUrl}/identity`), tracer: api.tracer, log: api.log, tls: { cert: server.cert, key: server.key, ...(clientCa !== undefined && { clientCa }) },
}))
before(async () => {
  api = await startIdentity({ quiet: true })
  who = await api.inhabitant()
  await api.admin('updateUser', { params: { user_id: who.id }, body: { user: { default_project_id: who.projectId, email: 'who@there.example' } } })
  await mapping([['SSL_CLIENT_SUBJECT_DN_UID'], ['SSL_CLIENT_SUBJECT_DN_DC'], ['SSL_CLIENT_ISSUER_DN_CN', ['root.example']]], { id: '{0}', domain: { id: '{1}' } })
  mine = certify([['DC', 'default'], ['UID', who.id]], root)
  tls = await serve(root.cert)
  plain = await serve()
})
after(async () => { for (const s of [tls, plain]) { s.close(); s.closeAllConnections() } await api.close() })

const mappingId = { params: { mapping_id: 'oauth2_mapping' } }
async function mapping(remote: [string, string[]?][], user: object): Promise<void> {
  const body = { mapping: { rules: [{ local: [{ user }], remote: remote.map(([type, any_one_of]) => ({ type, ...(any_one_of && { any_one_of }) })) }] } }
  const { status } = await api.call(api.adminToken, 'identity', 'updateMapping', { ...mappingId, body })
  if (status === 404) await api.admin('createMapping', { ...mappingId, body })
}
interface Asked { agent?: Agent, cert?: Issued | undefined, at?: Server, body?: string, headers?: Record<string, string> }
const ask = (method: string, path: string, { cert, at = tls, body, headers, agent }: Asked = {}): Promise<{ status: number, body: any, headers: any }> => new Promise((resolve, reject) => {
  const options: RequestOptions = { host: '127.0.0.1', port: (at.address() as AddressInfo).port, path, method, ca: root.cert, agent: agent ?? false, ...(cert && { cert: cert.cert, key: cert.key }), headers: { ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers } }
  const req = request(options, (res) => {
    let text = ''
    res.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body: text && JSON.parse(text) })).on('error', reject)
  })
  req.on('error', reject).end(body)
})
const login = (cert: Issued | undefined, fields: Record<string, string> = { client_id: who.id }, more: Asked = {}) =>
  ask('POST', '/identity/v3/OS-OAUTH2/token', { cert, body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }).toString(), ...more })
const named = (...names: Names) => certify(names, root)

test('a certificate gets a token for the default project, which says what it is bound to, as keystone\'s middleware compares it', async () => {
  const reply = await login(mine)
  assert.deepEqual([reply.status, reply.body.token_type, reply.headers['cache-control']], [200, 'Bearer', 'no-store'], JSON.stringify(reply.body))
  const { token } = (await api.http('GET', '/identity/v3/auth/tokens', { token: api.adminToken, headers: { 'x-subject-token': reply.body.access_token } })).body
  assert.deepEqual([token.methods, token.user.id, token.project.id, token.roles.map((r: any) => r.name)], [['oauth2_credential'], who.id, who.projectId, ['member', 'reader']])
  // Of the PEM text, padded: base64.urlsafe_b64encode(sha256(pem)).
  assert.deepEqual(token.oauth2_credential, { 'x5t#S256': createHash('sha256').update(mine.cert).digest('base64').replaceAll('+', '-').replaceAll('/', '_') })
})

test('the token is worth something beside its certificate only: in every service, as a service\'s too, and for no other token', async () => {
  const token = (await login(mine)).body.access_token
  for (const path of ['/elsewhere/me', '/identity/v3/auth/projects']) {
    for (const headers of [{ 'x-auth-token': token }, { authorization: `Bearer ${token}` }] as Record<string, string>[]) {
      const at = async (more: Asked) => (await ask('GET', path, { headers, ...more })).status
      assert.deepEqual([await at({ cert: mine }), await at({}), await at({ cert: certify(mine.names, root) }), await at({ cert: certify(mine.names, other) }), await at({ cert: mine, at: plain })], [200, 401, 401, 401, 401], path)
    }
  }
  assert.equal((await api.http('GET', '/identity/v3/auth/projects', { token })).status, 401, 'without TLS')
  assert.equal('boundTo' in (await ask('GET', '/elsewhere/me', { cert: mine, headers: { 'x-auth-token': token } })).body.actor, false)
  const json = { 'content-type': 'application/json' }, again = JSON.stringify({ auth: { identity: { methods: ['token'], token: { id: token } }, scope: { project: { id: who.projectId } } } })
  assert.equal((await ask('POST', '/identity/v3/auth/tokens', { cert: mine, headers: json, body: again })).status, 403)
  await api.admin('createServiceProvider', { params: { sp_id: 'sp' }, body: { service_provider: { enabled: true, auth_url: 'https://there.example/v3', sp_url: 'https://there.example/sp' } } })
  const vouched = JSON.stringify({ auth: { identity: { methods: ['token'], token: { id: token } }, scope: { service_provider: { id: 'sp' } } } })
  assert.equal((await ask('POST', '/identity/v3/auth/OS-FEDERATION/saml2', { cert: mine, headers: json, body: vouched })).status, 403)
})

test('a TLS session that is taken up again is its certificate\'s still', async () => {
  const agent = new Agent({ keepAlive: false }), token = (await login(mine)).body.access_token
  let reused = 0
  tls.on('secureConnection', (socket) => { reused += socket.isSessionReused() ? 1 : 0 })
  for (let i = 0; i < 3; i++) assert.equal((await ask('GET', '/elsewhere/me', { cert: mine, agent, headers: { 'x-auth-token': token } })).status, 200)
  assert.ok(reused > 0)
})

test('a certificate that is over is worth nothing on a connection that is older than its end', async (t) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  assert.equal((await login(mine, undefined, { agent })).status, 200)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 86_400_000 })
  assert.equal((await login(mine, undefined, { agent })).status, 401)
  agent.destroy()
})

test('nobody shows another certificate later on: a connection is negotiated once', async () => {
  const socket = connect({ host: '127.0.0.1', port: (tls.address() as AddressInfo).port, ca: root.cert, cert: mine.cert, key: mine.key, maxVersion: 'TLSv1.2' })
  await new Promise((done) => socket.once('secureConnect', done))
  const end = new Promise<string>((done) => { socket.once('error', (error: NodeJS.ErrnoException) => done(error.code!)) })
  assert.equal(await Promise.race([end, new Promise((done) => socket.renegotiate({}, () => done('negotiated again')))]), 'ERR_SSL_NO_RENEGOTIATION')
  socket.destroy()
})

test('who shows none, one of another authority, one that is over, or another\'s is not let in; nor is a header believed', async () => {
  const stranger = await api.inhabitant()
  const cases: Record<string, Promise<{ status: number, body: any }>> = {
    'no certificate': login(undefined), 'another authority, of the same name': login(certify(mine.names, other)), 'one of its own making': login(certify(mine.names)), 'one that is over': login(certify(mine.names, root, { untilMs: -1000 })),
    'another user': login(mine, { client_id: stranger.id }), 'nobody\'s': login(mine, { client_id: 'nosuch' }), 'no client_id': login(mine, {}), 'another domain': login(named(['DC', 'other'], ['UID', who.id])), 'no domain': login(named(['UID', who.id])),
    'two names': login(named(['DC', 'default'], ['UID', who.id], ['UID', stranger.id])), 'a server that asks for none': login(mine, undefined, { at: plain }),
    'headers': login(undefined, undefined, { headers: { 'ssl-client-cert': encodeURIComponent(mine.cert), 'x-ssl-client-cert': mine.cert.replaceAll('\n', ' '), 'x-forwarded-client-cert': 'x' } }),
  }
  for (const [why, reply] of Object.entries(cases)) assert.deepEqual([(await reply).status, (await reply).body.error], [401, 'invalid_client'], why)
})

test('all the mapping says of the user must be so; one that says nobody lets nobody in', async () => {
  const byName = (): Promise<void> => mapping([['SSL_CLIENT_SUBJECT_DN_CN'], ['SSL_CLIENT_SUBJECT_DN_EMAILADDRESS'], ['SSL_CLIENT_SUBJECT_DN_O']], { name: '{0}', email: '{1}', domain: { name: '{2}' } })
  const cn = (name: string, email = 'who@there.example', o = 'Default') => login(named(['O', o], ['CN', name], ['emailAddress', email]))
  await byName()
  assert.deepEqual([(await cn(who.name)).status, (await cn('other')).status, (await cn(who.name, 'x@y')).status, (await cn(who.name, undefined, 'Other')).status], [200, 401, 401, 401])
  await mapping([['SSL_CLIENT_SUBJECT_DN_EMAILADDRESS']], { email: '{0}' })
  assert.equal((await cn(who.name)).status, 401, 'an email is nobody')
  await mapping([['SSL_CLIENT_SUBJECT_DN_CN']], { name: '{0}' })
  assert.equal((await cn(who.name)).status, 401, 'a name is many people\'s')
  await api.admin('deleteMapping', mappingId)
  assert.equal((await cn(who.name)).status, 401, 'no mapping')
  await byName()
  for (const change of [{ enabled: false }, { enabled: true, default_project_id: null }, { default_project_id: api.otherProjectId }]) {
    await api.admin('updateUser', { params: { user_id: who.id }, body: { user: change } })
    assert.equal((await cn(who.name)).status, 401, JSON.stringify(change))
  }
  await api.admin('updateUser', { params: { user_id: who.id }, body: { user: { default_project_id: who.projectId, options: { multi_factor_auth_rules: [['password', 'totp']] } } } })
  assert.equal((await cn(who.name)).status, 401, 'who is bound to several methods')
})

test('a secret goes before the certificate, and its token is not bound', async () => {
  const own = await api.inhabitant(), userToken = await own.token()
  const { id, secret } = (await api.call<any>(userToken, 'identity', 'createApplicationCredential', { params: { user_id: own.id }, body: { application_credential: { name: 'x' } } })).body.application_credential
  const reply = await login(mine, { client_id: id, client_secret: secret })
  assert.equal(reply.status, 200)
  assert.equal((await ask('GET', '/elsewhere/me', { headers: { authorization: `Bearer ${reply.body.access_token}` } })).status, 200)
})

test('names of a certificate: by their short names or numbers, and nothing of what is none', () => {
  const names = namesOf(certify([['CN', 'ä'], ['DC', 'a'], ['DC', 'b'], ['title', 'Dr']], root).der)
  assert.deepEqual([...names], [
    ['SSL_CLIENT_ISSUER_DN_CN', ['root.example']], ['SSL_CLIENT_ISSUER_DN_O', ['Example']],
    ['SSL_CLIENT_SUBJECT_DN_CN', ['ä']], ['SSL_CLIENT_SUBJECT_DN_DC', ['a', 'b']], ['SSL_CLIENT_SUBJECT_DN_2.5.4.12', ['Dr']],
  ])
  for (let cut = 0; cut < mine.der.length; cut += 7) assert.equal(namesOf(mine.der.subarray(0, cut)).size, 0, String(cut))
  for (let at = 0; at < 300; at++) { const bent = Buffer.from(mine.der); bent[at] = bent[at]! ^ 0xff; namesOf(bent) }
  assert.equal(namesOf(Buffer.from('3084ffffffff', 'hex')).size, 0)
})

// Logins by a real OpenID provider on the loopback: browsers by the code flow, clients with access tokens.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { audience, startProvider, type Person, type TestProvider } from './oidc-provider.testing.ts'

const people: Record<string, Person> = { alice: { groups: ['dev', 'ops'], email: 'alice@there.example' }, mallory: { groups: ['outsiders'], email: 'm@there.example' } }
const dashboard = 'https://dashboard.example/auth/websso/'
let api: IdentityApi, provider: TestProvider, issuer: string, doorPath: string, groupId: string

const accessToken = async (username: string, { resource, client = 'pileus:the-client-secret' }: { resource?: string, client?: string } = {}): Promise<string> => {
  const reply = await fetch(`${issuer}/token`, {
    method: 'POST', headers: { authorization: `Basic ${Buffer.from(client).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'password', username, password: 'correct', scope: 'openid profile email', ...(resource && { resource }) }),
  })
  const body = await reply.json() as { access_token: string }
  assert.equal(reply.status, 200, JSON.stringify(body))
  return body.access_token
}
const relyingParty = (over: object = {}) => api.admin('setRelyingParty', {
  params: { idp_id: 'acme', protocol_id: 'openid' },
  body: { relying_party: { kind: 'oidc', issuer, client_id: 'pileus', client_secret: 'the-client-secret', audiences: ['pileus', audience], trusted_dashboards: [dashboard], ...over } },
})
const withBearer = (token: string) => api.http('POST', `${doorPath}/auth`, { headers: { authorization: `Bearer ${token}` } })

before(async () => {
  api = await startIdentity({ quiet: true })
  doorPath = '/identity/v3/OS-FEDERATION/identity_providers/acme/protocols/openid'
  provider = await startProvider(people, `${api.publicUrl}/identity/v3/auth/OS-FEDERATION/identity_providers/acme/protocols/openid/websso`)
  issuer = provider.issuer
  groupId = (await api.admin('createGroup', { body: { group: { name: 'dev', domain_id: 'default' } } })).group.id
  await api.admin('createProjectGroupGrant', { params: { project_id: api.projectId, group_id: groupId, role_id: api.seeded.roleIds.member! } })
  await api.admin('createIdentityProvider', { params: { idp_id: 'acme' }, body: { identity_provider: { enabled: true, remote_ids: [issuer] } } })
  await api.admin('createMapping', { params: { mapping_id: 'acme' }, body: { mapping: { rules: [{
    local: [{ user: { id: '{0}', name: '{1}', email: '{2}' }, groups: '{3}', domain: { id: 'default' } }],
    remote: [{ type: 'OIDC-sub' }, { type: 'HTTP_OIDC_PREFERRED_USERNAME' }, { type: 'OIDC-email' }, { type: 'OIDC-groups', not_any_of: ['^out'], regex: true }, { type: 'OIDC-groups', whitelist: ['dev'] }],
  }] } } })
  await api.admin('createFederationProtocol', { params: { idp_id: 'acme', protocol_id: 'openid' }, body: { protocol: { mapping_id: 'acme' } } })
  await relyingParty()
})
after(async () => { await api.close(); provider.close() })

test('a secret that was set is never shown, nor kept so that it can be read', async () => {
  const shown = await api.admin('showRelyingParty', { params: { idp_id: 'acme', protocol_id: 'openid' } })
  assert.equal(shown.relying_party.has_client_secret, true)
  const rows = await api.deps.store.read((tx) => tx.db.selectFrom('identityFederationProtocols').selectAll().execute())
  assert.doesNotMatch(JSON.stringify([shown, rows]), /the-client-secret/)
})

for (const [kind, options] of [['told by the provider when asked', {}], ['signed', { resource: audience }]] as const) {
  test(`an access token, ${kind}, gets a token, which gets one for a project through a group`, async () => {
    const first = await withBearer(await accessToken('alice', options))
    assert.equal(first.status, 201, JSON.stringify(first.body))
    const { user, methods } = first.body.token
    assert.deepEqual([methods, user.name, user['OS-FEDERATION']], [['mapped'], 'alice', { groups: [{ id: groupId }], identity_provider: { id: 'acme' }, protocol: { id: 'openid' } }])
    assert.equal('password_expires_at' in user, false)
    assert.equal((await api.admin('showUser', { params: { user_id: user.id } })).user.email, 'alice@there.example')
    const unscoped = first.headers.get('x-subject-token')!
    assert.deepEqual((await api.http('GET', '/identity/v3/auth/projects', { token: unscoped })).body.projects.map((p: any) => p.id), [api.projectId])
    for (const method of ['token', 'mapped', 'openid']) {
      const scoped = await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: [method], [method]: { id: unscoped } }, scope: { project: { id: api.projectId } } } } })
      assert.equal(scoped.status, 201, method)
      assert.deepEqual([scoped.body.token.roles.map((r: any) => r.name).sort(), scoped.body.token.user['OS-FEDERATION'].identity_provider.id, scoped.body.token.expires_at], [['member', 'reader'], 'acme', first.body.token.expires_at])
    }
    const again = await withBearer(await accessToken('alice', options))
    assert.equal(again.body.token.user.id, user.id, 'somebody is who he was')
  })
}

test('who does not fit the mapping, is meant for somebody else, or nobody, gets nothing', async () => {
  assert.equal((await withBearer(await accessToken('mallory'))).status, 401)
  assert.equal((await withBearer(await accessToken('alice', { client: 'stranger:another-secret' }))).status, 401, 'another client\'s')
  const signed = await accessToken('alice', { resource: audience })
  const [head, body, signature] = signed.split('.') as [string, string, string]
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'admin' })).toString('base64url')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  for (const bad of ['nonsense', 'a.b.c', `${head}.${forged}.${signature}`, `${none}.${body}.`, `${none}.${body}.${signature}`, 'x'.repeat(20_000)]) assert.equal((await withBearer(bad)).status, 401, bad.slice(0, 30))
  assert.equal((await api.http('POST', `${doorPath}/auth`)).status, 401)
  assert.equal((await api.http('GET', '/identity/v3/OS-FEDERATION/identity_providers/nobody/protocols/openid/auth')).status, 404)
})

test('what a provider says now is what holds; without the provider nothing does', async () => {
  const token = (await withBearer(await accessToken('alice'))).headers.get('x-subject-token')!
  const scoped = () => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['token'], token: { id: token } }, scope: { project: { id: api.projectId } } } } })
  people.alice!.groups = ['ops']
  assert.equal((await withBearer(await accessToken('alice'))).status, 201)
  assert.equal((await scoped()).status, 401, 'the group is gone with the next login')
  people.alice!.groups = ['dev', 'ops']
  await withBearer(await accessToken('alice'))
  assert.equal((await scoped()).status, 201)
  const idp = { params: { idp_id: 'acme' } }
  await api.admin('updateIdentityProvider', { ...idp, body: { identity_provider: { enabled: false } } })
  assert.equal((await scoped()).status, 404)
  assert.equal((await withBearer(await accessToken('alice'))).status, 403)
  await api.admin('updateIdentityProvider', { ...idp, body: { identity_provider: { enabled: true, remote_ids: ['https://another.example'] } } })
  assert.equal((await withBearer(await accessToken('alice'))).status, 401, 'not among its remote ids')
  await api.admin('updateIdentityProvider', { ...idp, body: { identity_provider: { remote_ids: [issuer] } } })
  await api.deps.store.tx((tx) => tx.db.updateTable('identityExpiringMemberships').set({ expiresAtSeconds: 1 }).execute())
  assert.equal((await scoped()).status, 401, 'memberships end')
})

/** A browser with cookies, for the provider's pages of interaction. */
function browser() {
  const jar = new Map<string, Map<string, string>>()
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { host } = new URL(url), cookies = jar.get(host) ?? new Map<string, string>()
    jar.set(host, cookies)
    const reply = await fetch(url, { redirect: 'manual', ...init, headers: { ...init.headers, cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') } })
    for (const cookie of reply.headers.getSetCookie()) { const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!; if (value === '') cookies.delete(name!); else cookies.set(name!, value!) }
    return reply
  }
}
/** From the dashboard's link through the provider's pages; answers what comes when the browser is back. */
async function signIn(go: ReturnType<typeof browser>, start: string, name: string, stopAt: (url: string) => boolean = () => false): Promise<{ reply: Response, url: string }> {
  let url = start, reply = await go(url)
  for (let i = 0; i < 20; i++) {
    const next = reply.headers.get('location')
    if (next) {
      url = new URL(next, url).href
      if (stopAt(url)) return { reply, url }
      reply = await go(url)
      continue
    }
    if (!url.startsWith(issuer)) break
    const page = await reply.text(), action = /<form[^>]*action="([^"]+)"/.exec(page)
    assert.ok(action, page)
    url = new URL(action[1]!, url).href
    const prompt = /name="prompt" value="(\w+)"/.exec(page)![1]!
    reply = await go(url, { method: 'POST', body: new URLSearchParams({ prompt, login: name, password: 'any' }) })
  }
  return { reply, url }
}
const websso = () => `${api.publicUrl}/identity/v3/auth/OS-FEDERATION/websso/openid?origin=${encodeURIComponent(dashboard)}`

test('a browser goes to the provider and comes back to the dashboard with a token', async () => {
  const { reply } = await signIn(browser(), websso(), 'alice')
  const page = await reply.text()
  assert.equal(reply.status, 200, page)
  assert.match(page, new RegExp(`<form id="sso" name="sso" action="${dashboard}" method="post">`))
  assert.match(reply.headers.get('content-security-policy')!, /default-src 'none'; script-src 'sha256-/)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  const token = /name="token" id="token" value="([^"]+)"/.exec(page)![1]!
  assert.equal((await api.http('GET', '/identity/v3/auth/tokens', { token, headers: { 'x-subject-token': token } })).body.token.user.name, 'alice')
})

test('a way back that nobody set out on leads nowhere', async () => {
  const go = browser(), back = (url: string) => url.includes('/websso?') && url.includes('state=')
  const { url } = await signIn(go, websso(), 'alice', back)
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 401, 'another browser: somebody else\'s login')
  const other = new URL(url)
  other.searchParams.set('state', 'another')
  assert.equal((await go(other.href)).status, 401)
  const failed = new URL(url)
  failed.searchParams.delete('code')
  failed.searchParams.set('error', 'access_denied')
  assert.equal((await go(failed.href)).status, 401)
  assert.equal((await go(url)).status, 200)
  assert.equal((await go(url)).status, 401, 'twice')
  for (const origin of ['https://evil.example/', `${dashboard}x`, 'https://dashboard.example/']) {
    assert.equal((await fetch(`${api.publicUrl}/identity/v3/auth/OS-FEDERATION/identity_providers/acme/protocols/openid/websso?origin=${encodeURIComponent(origin)}`, { redirect: 'manual' })).status, 401, origin)
  }
  assert.equal((await fetch(websso().replace(/\?.*/, ''), { redirect: 'manual' })).status, 400, 'no origin')
})

test('who speaks for nobody: a provider that is away, or refers elsewhere', async () => {
  await relyingParty({ issuer: 'http://127.0.0.1:1' })
  assert.equal((await withBearer('a.b.c')).status, 503)
  for (const bad of ['http://there.example', 'ftp://there.example', 'nonsense', 'https://user@there.example']) {
    assert.equal((await api.call(api.adminToken, 'identity', 'setRelyingParty', { params: { idp_id: 'acme', protocol_id: 'openid' }, body: { relying_party: { kind: 'oidc', issuer: bad, client_id: 'x' } } })).status, 400, bad)
  }
  const elsewhere = createServer((_req, res) => {
    const here = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ issuer: here, jwks_uri: `${issuer}/jwks`, introspection_endpoint: 'http://127.0.0.2:9/introspect', authorization_endpoint: here, token_endpoint: here, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] }))
  })
  await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening))
  await relyingParty({ issuer: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}` })
  const reply = await withBearer('opaque')
  elsewhere.close()
  elsewhere.closeAllConnections()
  assert.deepEqual([reply.status, reply.body.error.message], [503, 'The identity provider refers to 127.0.0.2:9, which is not among its endpoint_hosts.'])
  await relyingParty()
})

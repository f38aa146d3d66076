import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { sign, type ToSign } from '../testing/oauth1-signing.ts'

let api: IdentityApi, nowMs: number, consumer: { consumerKey: string, consumerSecret: string }
const at = (path: string) => `${api.publicUrl}/identity/v3${path}`
const seconds = () => Math.floor(nowMs / 1000)
const form = (reply: { bytes: Buffer }) => Object.fromEntries(new URLSearchParams(reply.bytes.toString())) as Record<string, string>
const signed = (path: string, over: Partial<ToSign> = {}, headers: Record<string, string> = {}, body?: unknown) =>
  api.http('POST', `/identity/v3${path}`, { headers: { authorization: sign({ url: at(path), ...consumer, timestamp: seconds(), ...over }), ...headers }, ...(body !== undefined && { body }) })
const ask = (over: Partial<ToSign> = {}) => signed('/OS-OAUTH1/request_token', { callback: 'oob', ...over }, { 'requested-project-id': api.projectId })

before(async () => {
  nowMs = Date.now()
  api = await startIdentity({ quiet: true, clock: () => nowMs })
  const made = (await api.admin('createConsumer', { body: { consumer: { description: 'a program', kind: 'test' } } })).consumer
  assert.deepEqual([made.description, made.kind], ['a program', 'test'])
  consumer = { consumerKey: made.id, consumerSecret: made.secret }
  for (const role of ['member', 'manager']) await api.admin('createProjectUserGrant', { params: { project_id: api.projectId, user_id: api.seeded.adminUserId, role_id: api.seeded.roleIds[role]! } })
})
after(() => api.close())

const authorize = (token: string, roles: object[], as = api.adminToken) => api.http('PUT', `/identity/v3/OS-OAUTH1/authorize/${token}`, { token: as, body: { roles } })
const tokenWith = (access: { token: string, tokenSecret: string }, over: Partial<ToSign> = {}, scope?: object) =>
  signed('/auth/tokens', { ...access, ...over }, {}, { auth: { identity: { methods: ['oauth1'], oauth1: {} }, ...(scope && { scope }) } })
async function accessToken(): Promise<{ token: string, tokenSecret: string }> {
  const request = form(await ask()), pair = { token: request.oauth_token!, tokenSecret: request.oauth_token_secret! }
  const { body } = await authorize(pair.token, [{ name: 'member' }])
  const granted = await signed('/OS-OAUTH1/access_token', { ...pair, verifier: body.token.oauth_verifier })
  assert.equal(granted.status, 201, JSON.stringify(granted.body))
  return { token: form(granted).oauth_token!, tokenSecret: form(granted).oauth_token_secret! }
}

test('a consumer asks, a user allows, the consumer acts with what it was allowed and no more', async () => {
  const access = await accessToken()
  for (const algorithm of ['sha1', 'sha256', 'sha512', 'plaintext'] as const) {
    const reply = await tokenWith(access, { algorithm })
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
    const { token } = reply.body
    assert.deepEqual([token.methods, token.user.id, token.project.id, token.roles.map((r: any) => r.name).sort()], [['oauth1'], api.seeded.adminUserId, api.projectId, ['member', 'reader']])
    assert.deepEqual(token['OS-OAUTH1'], { access_token_id: access.token, consumer_id: consumer.consumerKey })
    const own = reply.headers.get('x-subject-token')!
    assert.equal((await api.http('GET', '/identity/v3/users', { token: own })).status, 403)
    assert.equal((await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['token'], token: { id: own } }, scope: { project: { id: api.seeded.adminProjectId } } } } })).status, 403, 'no other token from it')
    assert.equal((await api.http('POST', `/identity/v3/users/${token.user.id}/application_credentials`, { token: own, body: { application_credential: { name: 'x' } } })).status, 403)
    assert.equal((await api.http('POST', `/identity/v3/users/${token.user.id}/credentials/OS-EC2`, { token: own, body: { tenant_id: api.projectId } })).status, 403)
    assert.equal((await api.http('POST', '/identity/v3/OS-TRUST/trusts', { token: own, body: { trust: { trustor_user_id: token.user.id, trustee_user_id: api.userId('other'), project_id: api.projectId, impersonation: false, roles: [{ name: 'member' }] } } })).status, 403)
  }
  assert.equal((await tokenWith(access, {}, { project: { id: api.seeded.adminProjectId } })).status, 401)
})

test('what was allowed ends: taken back, with the role, with its time, with the consumer', async () => {
  const valid = async (token: string) => (await api.http('GET', '/identity/v3/auth/tokens', { token: api.adminToken, headers: { 'x-subject-token': token } })).status
  const issued = async (access: { token: string, tokenSecret: string }) => (await tokenWith(access)).headers.get('x-subject-token')!
  const first = await accessToken(), second = await accessToken(), of1 = await issued(first), of2 = await issued(second), own = { user_id: api.seeded.adminUserId }
  assert.deepEqual([await valid(of1), await valid(of2)], [200, 200])
  await api.admin('deleteAccessToken', { params: { ...own, access_token_id: first.token } })
  assert.deepEqual([await valid(of1), await valid(of2), (await tokenWith(first)).status], [404, 200, 401])
  const grant = { params: { project_id: api.projectId, ...own, role_id: api.seeded.roleIds.member! } }, manager = { params: { ...grant.params, role_id: api.seeded.roleIds.manager! } }
  for (const g of [grant, manager]) await api.admin('revokeProjectUserGrant', g)
  assert.equal(await valid(of2), 404)
  for (const g of [grant, manager]) await api.admin('createProjectUserGrant', g)
  assert.equal(await valid(of2), 200)
  nowMs += 90_000_000
  assert.equal((await tokenWith(second)).status, 401, 'a day is over')
  nowMs -= 90_000_000
  const doomed = (await api.admin('createConsumer', { body: { consumer: {} } })).consumer, kept = consumer
  consumer = { consumerKey: doomed.id, consumerSecret: doomed.secret }
  const third = await accessToken(), of3 = await issued(third)
  await api.admin('deleteConsumer', { params: { consumer_id: doomed.id } })
  assert.deepEqual([await valid(of3), (await tokenWith(third)).status], [404, 401])
  consumer = kept
})

test('signatures: wrong secrets, times, places and repetitions', async () => {
  const access = await accessToken()
  for (const over of [{ consumerSecret: 'x' }, { tokenSecret: 'x' }, { algorithm: 'plaintext', consumerSecret: 'x' }, { algorithm: 'plaintext', tokenSecret: 'x' }, { algorithm: 'plaintext', timestamp: seconds() - 400 }, { token: 'x' }, { consumerKey: 'x' }, { timestamp: seconds() - 400 }, { timestamp: seconds() + 400 }, { url: at('/auth/tokens/') }, { url: `${at('/auth/tokens')}?a=b` }, { method: 'PUT' }] as Partial<ToSign>[]) {
    assert.equal((await tokenWith(access, over)).status, 401, JSON.stringify(over))
  }
  for (const once of [{ nonce: 'the-same' }, { nonce: 'plainly', algorithm: 'plaintext' }] as const) assert.deepEqual([(await tokenWith(access, once)).status, (await tokenWith(access, once)).status], [201, 401])
  const path = '/auth/tokens?nocatalog=1&b=%C3%A9%20x&b=%2B', good = sign({ url: at(path), ...consumer, ...access, timestamp: seconds() })
  const send = (authorization: string) => api.http('POST', `/identity/v3${path}`, { headers: { authorization }, body: { auth: { identity: { methods: ['oauth1'], oauth1: {} } } } })
  assert.equal((await send(good)).status, 201, 'with a query')
  for (const bad of ['', 'OAuth', 'Bearer x', 'OAuth oauth_consumer_key="%zz"', good.replace('OAuth ', 'OAuth oauth_nonce="x", '), good.replace('HMAC-SHA1', 'PLAINTEXT'), good.replace('HMAC-SHA1', 'constructor'), `OAuth ${'x'.repeat(9000)}`]) assert.equal((await send(bad)).status, 401, bad.slice(0, 40))
})

test('request tokens: for a project there is, allowed once, exchanged once, guessed never', async () => {
  assert.equal((await signed('/OS-OAUTH1/request_token')).status, 400, 'no project')
  assert.equal((await signed('/OS-OAUTH1/request_token', {}, { 'requested-project-id': 'nowhere' })).status, 404)
  assert.equal((await ask({ consumerSecret: 'x' })).status, 401)
  const request = form(await ask()), pair = { token: request.oauth_token!, tokenSecret: request.oauth_token_secret! }
  assert.match(request.oauth_expires_at!, /^\d{4}-.*Z$/)
  assert.equal((await signed('/OS-OAUTH1/access_token', { ...pair, verifier: 'x' })).status, 401, 'nobody allowed it')
  assert.equal((await authorize(pair.token, [{ name: 'service' }])).status, 401, 'a role he has not')
  assert.equal((await authorize(pair.token, [])).status, 400)
  assert.equal((await authorize('x', [{ name: 'member' }])).status, 404)
  const { body } = await authorize(pair.token, [{ id: api.seeded.roleIds.member }])
  assert.equal((await authorize(pair.token, [{ name: 'member' }])).status, 403)
  const take = (verifier: string) => signed('/OS-OAUTH1/access_token', { ...pair, verifier })
  const verifier = body.token.oauth_verifier
  assert.deepEqual((await Promise.all([take(verifier), take(verifier)])).map((r) => r.status).sort(), [201, 401])
  const other = form(await ask()), second = { token: other.oauth_token!, tokenSecret: other.oauth_token_secret! }
  const right = (await authorize(second.token, [{ name: 'member' }])).body.token.oauth_verifier
  assert.deepEqual([(await signed('/OS-OAUTH1/access_token', { ...second, verifier: 'wrong' })).status, (await signed('/OS-OAUTH1/access_token', { ...second, verifier: right })).status], [401, 401], 'one guess')
  const late = form(await ask())
  nowMs += 29_000_000
  assert.equal((await authorize(late.oauth_token!, [{ name: 'member' }], (await api.token({ name: 'admin', password: 'the-admins-password' }, { project: { id: api.seeded.adminProjectId } })))).status, 401)
  nowMs -= 29_000_000
})

test('secrets rest sealed', async () => {
  const rows = await api.deps.store.read((tx) => tx.db.selectFrom('identityConsumers').selectAll().execute())
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(consumer.consumerSecret))
  assert.equal((await api.call(api.adminToken, 'identity', 'updateConsumer', { params: { consumer_id: consumer.consumerKey }, body: { consumer: { secret: 'x' } } })).status, 400)
})

test('lent rights see and end no access tokens', async () => {
  const { id, secret } = (await api.admin('createApplicationCredential', { params: { user_id: api.seeded.adminUserId }, body: { application_credential: { name: 'lent', unrestricted: true } } })).application_credential
  const lent = (await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['application_credential'], application_credential: { id, secret } } } } })).headers.get('x-subject-token')!
  const access = (await accessToken()).token, tokens = `/identity/v3/users/${api.seeded.adminUserId}/OS-OAUTH1/access_tokens`
  for (const [method, path] of [['GET', tokens], ['GET', `${tokens}/${access}`], ['DELETE', `${tokens}/${access}`]] as const) assert.equal((await api.http(method, path, { token: lent })).status, 403, `${method} ${path}`)
  assert.equal((await api.http('DELETE', `${tokens}/${access}`, { token: api.adminToken })).status, 204)
})

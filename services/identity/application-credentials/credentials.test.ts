import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity({ config: { maxApplicationCredentialsPerUser: 6 } }) })
after(() => api.close())
const post = (auth: object) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth } })
const byToken = (id: string, scope?: object) => ({ identity: { methods: ['token'], token: { id } }, ...(scope !== undefined && { scope }) })
const works = async (token: string): Promise<boolean> => (await api.http('GET', '/identity/v3/auth/projects', { token })).status === 200

test('application credentials: bound to a project, its roles and its time; not to be bypassed', async () => {
  const someone = await api.inhabitant('manager'), token = await someone.token()
  const path = `/identity/v3/users/${someone.id}/application_credentials`
  const make = async (body: object, as = token) => api.http('POST', path, { token: as, body: { application_credential: body } })
  const made = (await make({ name: 'one', roles: [{ name: 'member' }] })).body.application_credential
  const log = (credential: object, scope?: object) => post({ identity: { methods: ['application_credential'], application_credential: credential }, ...(scope && { scope }) })
  const reply = await log({ id: made.id, secret: made.secret })
  assert.equal(reply.status, 201)
  assert.deepEqual(reply.body.token.application_credential, { id: made.id, name: 'one', restricted: true })
  assert.equal(reply.body.token.project.id, someone.projectId)
  assert.deepEqual(reply.body.token.roles.map((r: any) => r.name), ['member', 'reader'], 'what the role implies comes with it')
  const bound = reply.headers.get('x-subject-token')!
  assert.equal((await log({ name: 'one', user: { name: someone.name, domain: { id: 'default' } }, secret: made.secret })).status, 201)
  assert.equal((await log({ id: made.id, secret: 'wrong' })).status, 401)
  assert.equal((await log({ id: 'nosuch', secret: made.secret })).status, 401)
  assert.equal((await log({ id: made.id, secret: made.secret }, { project: { id: someone.projectId } })).status, 401)
  assert.equal((await post(byToken(bound, { project: { id: someone.projectId } }))).status, 403)
  const again = await post(byToken(bound))
  assert.deepEqual([again.status, again.body.token.application_credential.id, again.body.token.roles.length], [201, made.id, 2], 'stays as bound')
  assert.equal((await make({ name: 'more' }, bound)).status, 403, 'restricted')
  assert.equal((await api.http('DELETE', `${path}/${made.id}`, { token: bound })).status, 403)
  assert.equal((await make({ name: 'one' })).status, 409)
  assert.equal((await make({ name: 'x', roles: [{ name: 'admin' }] })).status, 400)
  assert.equal((await make({ name: 'x', expires_at: 'tomorrow' })).status, 400)
  assert.equal((await make({ name: 'x', expires_at: '2001-01-01T00:00:00' })).status, 400)
  assert.equal((await make({ name: 'x', access_rules: [{ path: '/x' }] })).status, 400)
  assert.equal((await make({ name: 'x', surprise: 1 })).status, 400)
  const open = (await make({ name: 'open', unrestricted: true, secret: 'I thought of it' })).body.application_credential
  const openToken = (await log({ id: open.id, secret: 'I thought of it' })).headers.get('x-subject-token')!
  assert.equal((await make({ name: 'by-open' }, openToken)).status, 201)
  const soon = (await make({ name: 'soon', expires_at: new Date(Date.now() + 600_000).toISOString() })).body.application_credential
  const short = await log({ id: soon.id, secret: soon.secret })
  assert.ok(Date.parse(short.body.token.expires_at) <= Date.now() + 600_000)
  // It goes with the user's role, and with itself.
  assert.equal((await api.http('GET', `${path}/${made.id}`, { token })).body.application_credential.secret, undefined)
  assert.equal((await api.http('DELETE', `${path}/${made.id}`, { token })).status, 204)
  assert.equal(await works(bound), false)
  await api.admin('revokeProjectUserGrant', someone.grant)
  assert.equal(await works(openToken), false)
})

test('nobody fills the table', async () => {
  const someone = await api.inhabitant(), token = await someone.token(), path = `/identity/v3/users/${someone.id}/application_credentials`
  const make = (name: string) => api.http('POST', path, { token, body: { application_credential: { name, access_rules: [{ service: 'compute', method: 'GET', path: '/x' }] } } })
  const made = []
  for (let i = 0; i < 6; i++) made.push((await make(`n${i}`)).body.application_credential.id)
  const refused = await make('one-more')
  assert.deepEqual([refused.status, refused.body.error.message], [403, 'Unable to create additional application credentials, maximum of 6 already exceeded for user.'])
  await api.http('DELETE', `${path}/${made[0]}`, { token })
  assert.equal((await make('in-its-place')).status, 201)
  const empty = await api.http('POST', path, { token, body: { application_credential: { name: 'x', roles: [{}] } } })
  assert.equal(empty.status, 400)
})

test('disabling a user is the end of his, rules and all', async () => {
  const someone = await api.inhabitant(), path = `/identity/v3/users/${someone.id}`, token = await someone.token()
  const made = (await api.http('POST', `${path}/application_credentials`, { token, body: { application_credential: { name: 'bound', access_rules: [{ service: 'identity', method: 'GET', path: '/v3/users' }] } } })).body.application_credential
  const logIn = () => post({ identity: { methods: ['application_credential'], application_credential: { id: made.id, secret: made.secret } } })
  assert.equal((await logIn()).status, 201)
  for (const enabled of [true, false, true]) await api.admin('updateUser', { params: { user_id: someone.id }, body: { user: { enabled } } })
  const again = await someone.token()
  assert.deepEqual((await api.http('GET', `${path}/application_credentials`, { token: again })).body.application_credentials, [])
  assert.deepEqual((await api.http('GET', `${path}/access_rules`, { token: again })).body.access_rules, [])
  assert.equal((await logIn()).status, 401)
})

test('new access rules stand in the order in which they are given, in every answer', async () => {
  const someone = await api.inhabitant(), path = `/identity/v3/users/${someone.id}`, token = await someone.token(), given = ['PUT', 'GET', 'POST', 'DELETE', 'PATCH', 'HEAD']
  const { body } = await api.http('POST', `${path}/application_credentials`, { token, body: { application_credential: { name: 'ordered', access_rules: given.map((method) => ({ service: 'compute', method, path: '/x' })) } } })
  const shown = (await api.http('GET', `${path}/application_credentials/${body.application_credential.id}`, { token })).body.application_credential, { access_rules: listed } = (await api.http('GET', `${path}/access_rules`, { token })).body
  for (const rules of [body.application_credential.access_rules, shown.access_rules, listed]) assert.deepEqual(rules.map((rule: { method: string }) => rule.method), given)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { newFernetKey, openFernet, sealFernet } from '#kit/crypto/fernet.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { authenticate } from '../authenticate.ts'
import { longestSealSeconds } from '../deps.ts'
import { adminPassword, startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'
import { rotateKeys } from './keys-store.ts'
import { newAuditId, pack, unpack, type Claims } from './payload.ts'

let api: IdentityApi, offsetMs = 0
before(async () => { api = await startIdentity({ clock: () => Date.now() + offsetMs }) })
after(() => api.close())

const post = (auth: object, query = '') => api.http('POST', `/identity/v3/auth/tokens${query}`, { body: { auth } })
const byPassword = (user: object, scope?: object | string) => ({ identity: { methods: ['password'], password: { user } }, ...(scope !== undefined && { scope }) })
const byToken = (id: string, scope?: object | string) => ({ identity: { methods: ['token'], token: { id } }, ...(scope !== undefined && { scope }) })
const show = (token: string, as = api.adminToken, query = '') => api.http('GET', `/identity/v3/auth/tokens${query}`, { token: as, headers: { 'x-subject-token': token } })
const admin: IdentityApi['admin'] = (operation, call) => api.admin(operation, call)
const inhabitant = (role?: string) => api.inhabitant(role)
const works = async (token: string): Promise<boolean> => (await api.http('GET', '/identity/v3/auth/projects', { token })).status === 200

test('a project\'s token by names: keystone\'s shape', async () => {
  const reply = await post(byPassword({ name: 'admin', domain: { name: 'Default' }, password: adminPassword }, { project: { name: 'admin', domain: { id: 'default' } } }))
  assert.equal(reply.status, 201)
  assert.match(reply.headers.get('x-subject-token')!, /^gAAAA[\w-]{100,250}$/)
  const { token } = reply.body
  assert.deepEqual(Object.keys(token).sort(), ['audit_ids', 'catalog', 'expires_at', 'is_domain', 'issued_at', 'methods', 'project', 'roles', 'user'])
  assert.deepEqual(token.user, { domain: { id: 'default', name: 'Default' }, id: api.seeded.adminUserId, name: 'admin', password_expires_at: null })
  assert.deepEqual(token.project, { domain: { id: 'default', name: 'Default' }, id: api.seeded.adminProjectId, name: 'admin' })
  assert.equal(token.is_domain, false)
  assert.deepEqual(token.methods, ['password'])
  assert.deepEqual(token.roles.map((r: any) => r.name).sort(), ['admin', 'manager', 'member', 'reader'])
  assert.match(token.audit_ids[0], /^[\w-]{22}$/)
  assert.match(token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/)
  assert.equal(Date.parse(token.expires_at) - Date.parse(token.issued_at), 3_600_000)
  const identity = token.catalog.find((s: any) => s.type === 'identity')
  assert.equal(identity.name, 'keystone')
  assert.deepEqual(identity.endpoints.map((e: any) => e.interface).sort(), ['admin', 'internal', 'public'])
  assert.deepEqual(Object.keys(identity.endpoints[0]).sort(), ['id', 'interface', 'region', 'region_id', 'url'])
  assert.equal(token.catalog.find((s: any) => s.type === 'volumev3').endpoints[0].url, `${api.publicUrl}/volume/v3/${api.seeded.adminProjectId}`)
  const shown = await show(reply.headers.get('x-subject-token')!)
  assert.equal(shown.status, 200)
  assert.deepEqual(shown.body.token, token)
  assert.equal(shown.headers.get('x-subject-token'), reply.headers.get('x-subject-token'))
  assert.equal((await show(reply.headers.get('x-subject-token')!, api.adminToken, '?nocatalog')).body.token.catalog, undefined)
  const head = await api.http('HEAD', '/identity/v3/auth/tokens', { token: api.adminToken, headers: { 'x-subject-token': api.adminToken } })
  assert.equal(head.status, 200)
})

test('unscoped, domain and system tokens', async () => {
  const user = { id: api.seeded.adminUserId, password: adminPassword }
  for (const scope of ['unscoped', { unscoped: {} }]) {
    const { body } = await post(byPassword(user, scope))
    assert.deepEqual(Object.keys(body.token).sort(), ['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'])
  }
  assert.equal((await post(byPassword(user, { domain: { id: 'default' } }))).status, 401, 'no role on the domain')
  await admin('createDomainUserGrant', { params: { domain_id: 'default', user_id: user.id, role_id: api.seeded.roleIds.reader! } })
  const domain = (await post(byPassword(user, { domain: { name: 'Default' } }))).body.token
  assert.deepEqual(domain.domain, { id: 'default', name: 'Default' })
  assert.deepEqual(domain.roles.map((r: any) => r.name), ['reader'])
  assert.equal(domain.catalog.find((s: any) => s.type === 'volumev3').endpoints.length, 0, 'its URL wants a project')
  const system = (await post(byPassword(user, { system: { all: true } }))).body.token
  assert.deepEqual(system.system, { all: true })
  assert.equal(system.project, undefined)
  assert.equal((await post(byPassword({ name: 'demo', domain: { id: 'default' }, password: 'the-demo-password' }, { system: { all: true } }))).status, 401)
})

test('the default project is the scope when none is asked, if it lets him in', async () => {
  const demo = { name: 'demo', domain: { id: 'default' }, password: 'the-demo-password' }
  assert.equal((await post(byPassword(demo))).body.token.project.id, api.seeded.demoProjectId)
  const someone = await inhabitant()
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }))).body.token.project, undefined)
  await admin('updateUser', { params: { user_id: someone.id }, body: { user: { default_project_id: api.seeded.adminProjectId } } })
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }))).body.token.project, undefined, 'not a member there')
})

test('nothing is learnt from a refusal: wrong password, no such user, domain or project, no role, disabled', async () => {
  const someone = await inhabitant(), off = await inhabitant()
  await admin('updateUser', { params: { user_id: off.id }, body: { user: { enabled: false } } })
  const refused = [
    byPassword({ id: someone.id, password: 'wrong' }), byPassword({ id: 'nosuch', password: 'wrong' }), byPassword({ name: 'nosuch', domain: { id: 'default' }, password: 'x' }),
    byPassword({ name: 'admin', domain: { id: 'nosuch' }, password: adminPassword }), byPassword({ name: 'admin', domain: { name: 'nosuch' }, password: adminPassword }),
    byPassword({ id: off.id, password: off.password }), byPassword({ id: someone.id, password: someone.password }, { project: { id: api.seeded.adminProjectId } }),
    byPassword({ id: someone.id, password: someone.password }, { project: { id: 'nosuch' } }), byPassword({ id: someone.id, password: someone.password }, { project: { name: 'admin', domain: { id: 'nosuch' } } }),
    byPassword({ id: someone.id }), byPassword({ id: someone.id, password: '' }),
  ]
  const seen = new Set<string>()
  for (const auth of refused) {
    const reply = await post(auth)
    assert.equal(reply.status, 401, JSON.stringify(auth))
    assert.equal(reply.headers.get('www-authenticate'), `Keystone uri="${api.publicUrl}/identity"`)
    seen.add(JSON.stringify(reply.body))
  }
  for (const token of ['nonsense', `gAAAA${'A'.repeat(200)}`]) assert.equal((await post(byToken(token))).status, 404, 'a token that is none is not found')
  assert.deepEqual([...seen], ['{"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}'])
})

test('bodies that make no sense are 400, methods that do not exist 401', async () => {
  const who = { id: 'x', password: 'y' }
  const bad: unknown[] = [
    undefined, '[]', '{', '{"auth":{}}', { auth: { identity: {} } }, { auth: { identity: { methods: 'password' } } }, { auth: { identity: { methods: ['password'] } } },
    { auth: { identity: { methods: ['password'], password: {} } } }, { auth: { identity: { methods: ['password'], password: { user: { password: 'x' } } } } },
    { auth: { identity: { methods: ['password'], password: { user: { name: 'admin', password: 'x' } } } } }, { auth: { identity: { methods: ['password'], password: { user: { name: 'a', domain: {}, password: 'x' } } } } },
    { auth: { identity: { methods: ['password'], password: { user: { id: 7, password: 'x' } } } } }, { auth: byPassword({ id: api.seeded.adminUserId, password: adminPassword }, { project: {} }) },
    { auth: byPassword({ id: api.seeded.adminUserId, password: adminPassword }, { project: { name: 'admin' } }) }, { auth: byPassword({ id: api.seeded.adminUserId, password: adminPassword }, {}) },
    { auth: byPassword({ id: api.seeded.adminUserId, password: adminPassword }, { project: { id: 'x' }, domain: { id: 'default' } }) }, { auth: byPassword(who), more: 1 }, Buffer.from([0x7b, 0xff, 0xfe]),
  ]
  for (const body of bad) assert.equal((await api.http('POST', '/identity/v3/auth/tokens', { body })).status, 400, JSON.stringify(body))
  assert.equal((await post({ identity: { methods: ['carrier-pigeon'], 'carrier-pigeon': {} } })).status, 401)
  assert.equal((await post({ identity: { methods: ['constructor'] } })).status, 400)
  assert.equal((await post({ identity: { methods: [] } })).status, 401)
  assert.equal((await api.http('POST', '/identity/v3/auth/tokens', { body: `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"${'x'.repeat(1_100_000)}"}}}}}` })).status, 413)
})

test('a token from a token: its chain, its end, its methods; what it may not become', async () => {
  const someone = await inhabitant(), parent = await someone.token('unscoped')
  const first = (await show(parent)).body.token
  offsetMs += 60_000
  const reply = await post(byToken(parent, { project: { id: someone.projectId } }))
  assert.equal(reply.status, 201)
  const { token } = reply.body
  assert.equal(token.expires_at, first.expires_at)
  assert.notEqual(token.issued_at, first.issued_at)
  assert.deepEqual(token.methods.sort(), ['password', 'token'])
  assert.equal(token.audit_ids.length, 2)
  assert.equal(token.audit_ids[1], first.audit_ids[0])
  const third = (await post(byToken(reply.headers.get('x-subject-token')!))).body.token
  assert.equal(third.audit_ids[1], first.audit_ids[0], 'the chain\'s first')
  const system = await api.token({ name: 'admin', password: adminPassword }, { system: { all: true } })
  assert.equal((await post(byToken(system, { project: { id: api.seeded.adminProjectId } }))).status, 403)
  assert.equal((await post(byToken(parent, { project: { id: api.seeded.adminProjectId } }))).status, 401)
})

test('whose token may one look at, and end', async () => {
  const a = await inhabitant(), b = await inhabitant()
  const mine = await a.token(), again = await a.token(), theirs = await b.token()
  assert.equal((await show(again, mine)).status, 200)
  assert.equal((await show(theirs, mine)).status, 403)
  assert.equal((await show('nonsense', mine)).status, 404)
  assert.equal((await api.http('GET', '/identity/v3/auth/tokens', { token: mine })).status, 404, 'no subject')
  assert.equal((await api.http('DELETE', '/identity/v3/auth/tokens', { token: mine, headers: { 'x-subject-token': theirs } })).status, 403)
  assert.equal((await api.http('DELETE', '/identity/v3/auth/tokens', { token: mine, headers: { 'x-subject-token': again } })).status, 204)
  assert.equal(await works(again), false)
  assert.equal((await show(again, mine)).status, 404)
  assert.equal((await api.http('DELETE', '/identity/v3/auth/tokens', { token: mine, headers: { 'x-subject-token': mine } })).status, 204)
  assert.equal(await works(mine), false)
  assert.equal((await show(mine, mine)).status, 401)
  assert.equal((await post(byToken(mine, { project: { id: a.projectId } }))).status, 404)
})

test('a token ends with its time; allow_expired still tells of it, but not of a revoked one', async () => {
  const someone = await inhabitant(), token = await someone.token(), revoked = await someone.token()
  assert.equal((await api.http('DELETE', '/identity/v3/auth/tokens', { token: revoked, headers: { 'x-subject-token': revoked } })).status, 204)
  offsetMs += 3_600_000
  const adminNow = await api.token({ name: 'admin', password: adminPassword }, { project: { id: api.seeded.adminProjectId } })
  // Revoking sweeps what is over: not what may still be asked for.
  offsetMs += 1000
  const another = await someone.token()
  assert.equal((await api.http('DELETE', '/identity/v3/auth/tokens', { token: another, headers: { 'x-subject-token': another } })).status, 204)
  assert.equal(await works(token), false)
  assert.equal((await show(token, adminNow)).status, 404)
  assert.equal((await show(token, adminNow, '?allow_expired=1')).status, 200)
  assert.equal((await show(revoked, adminNow, '?allow_expired=1')).status, 404)
  assert.equal((await api.http('GET', '/identity/v3/auth/projects?allow_expired=1', { token })).status, 401, 'telling is not admitting')
  offsetMs += 172_800_000
  const adminLater = await api.token({ name: 'admin', password: adminPassword }, { project: { id: api.seeded.adminProjectId } })
  assert.equal((await show(token, adminLater, '?allow_expired=1')).status, 404)
  offsetMs = 0
  api.adminToken = await api.token({ name: 'admin', password: adminPassword }, { project: { id: api.seeded.adminProjectId } })
})

test('everything that takes a right away counts at once, and giving it back revives no token', async () => {
  const change = async (what: string, take: (who: Inhabitant) => Promise<unknown>, give?: (who: Inhabitant) => Promise<unknown>, revives = false): Promise<void> => {
    const who = await inhabitant(), token = await who.token()
    assert.equal(await works(token), true, what)
    await take(who)
    assert.equal(await works(token), false, what)
    assert.equal((await show(token)).status, 404, what)
    if (give) {
      await give(who)
      assert.equal(await works(token), revives, `${what}, then given back`)
    }
  }
  const user = (body: object) => (who: { id: string }) => admin('updateUser', { params: { user_id: who.id }, body: { user: body } })
  const project = (body: object) => (who: { projectId: string }) => admin('updateProject', { params: { project_id: who.projectId }, body: { project: body } })
  await change('disabling the user', user({ enabled: false }), user({ enabled: true }))
  await change('another password', user({ password: 'another' }))
  await change('his own new password', async (who) => assert.equal((await api.http('POST', `/identity/v3/users/${who.id}/password`, { body: { user: { original_password: who.password, password: 'next' } } })).status, 204))
  await change('disabling the project', project({ enabled: false }), project({ enabled: true }))
  await change('deleting the user', (who) => admin('deleteUser', { params: { user_id: who.id } }))
  await change('deleting the project', (who) => admin('deleteProject', { params: { project_id: who.projectId } }))
  // A role given again is a role: the token was never revoked.
  await change('taking the role', (who) => admin('revokeProjectUserGrant', who.grant), (who) => admin('createProjectUserGrant', who.grant), true)
})

test('a disabled domain shuts out its users and projects, for good', async () => {
  const domain = (await admin('createDomain', { body: { domain: { name: 'shut' } } })).domain
  const user = (await admin('createUser', { body: { user: { name: 'inside', domain_id: domain.id, password: 'pw' } } })).user
  const project = (await admin('createProject', { body: { project: { name: 'inside', domain_id: domain.id } } })).project
  await admin('createProjectUserGrant', { params: { project_id: project.id, user_id: user.id, role_id: api.seeded.roleIds.member! } })
  const token = await api.token({ id: user.id, password: 'pw' }, { project: { id: project.id } })
  const set = (enabled: boolean) => admin('updateDomain', { params: { domain_id: domain.id }, body: { domain: { enabled } } })
  await set(false)
  assert.equal(await works(token), false)
  assert.equal((await post(byPassword({ id: user.id, password: 'pw' }))).status, 401)
  await set(true)
  assert.equal(await works(token), false)
  assert.equal(await works(await api.token({ id: user.id, password: 'pw' }, { project: { id: project.id } })), true)
})

test('roles come from groups, from above and from other roles', async () => {
  const someone = await inhabitant('reader')
  const rolesNow = async (scope: object): Promise<string[]> => ((await show(await someone.token(scope))).body.token.roles as { name: string }[]).map((r) => r.name)
  const group = (await admin('createGroup', { body: { group: { name: `g-${someone.name}` } } })).group
  await admin('addGroupUser', { params: { group_id: group.id, user_id: someone.id } })
  await admin('createProjectGroupGrant', { params: { project_id: someone.projectId, group_id: group.id, role_id: api.seeded.roleIds.manager! } })
  assert.deepEqual(await rolesNow({ project: { id: someone.projectId } }), ['manager', 'member', 'reader'])
  const child = (await admin('createProject', { body: { project: { name: `child-of-${someone.name}`, parent_id: someone.projectId } } })).project
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }, { project: { id: child.id } }))).status, 401)
  await admin('createDomainUserInheritedGrant', { params: { domain_id: 'default', user_id: someone.id, role_id: api.seeded.roleIds.member! } })
  assert.deepEqual(await rolesNow({ project: { id: child.id } }), ['member', 'reader'])
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }, { domain: { id: 'default' } }))).status, 401, 'inherited to projects, not the domain')
  await admin('createProjectGroupInheritedGrant', { params: { project_id: someone.projectId, group_id: group.id, role_id: api.seeded.roleIds.service! } })
  assert.deepEqual(await rolesNow({ project: { id: child.id } }), ['member', 'reader', 'service'])
  const mine = (await api.http('GET', '/identity/v3/auth/projects', { token: await someone.token() })).body.projects.map((p: any) => p.id)
  assert.ok(mine.includes(someone.projectId) && mine.includes(child.id))
})

test('the actor that services see', async () => {
  const someone = await inhabitant(), token = await someone.token()
  const actor = await authenticate(api.deps, () => 'u')(token, plainContext())
  const { audit_ids } = (await show(token)).body.token
  assert.deepEqual(actor, {
    userId: someone.id, userName: someone.name, userDomainId: 'default', projectId: someone.projectId, projectName: someone.name, projectDomainId: 'default', roles: ['member', 'reader'], auditId: audit_ids[0],
  })
  assert.equal(await queriesOf(api.store, () => authenticate(api.deps, () => 'u')(token, plainContext())), 2)
  assert.deepEqual((await api.spans(`token:${audit_ids[0]}`)).filter((s) => s.name === 'identity.issue-token').map((s) => s.tenant), [{ user: someone.id }])
})

test('a user bound to two methods does not come in with one', async () => {
  const someone = await inhabitant()
  await admin('updateUser', { params: { user_id: someone.id }, body: { user: { options: { multi_factor_auth_rules: [['password', 'totp']] } } } })
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }))).status, 401)
  await admin('updateUser', { params: { user_id: someone.id }, body: { user: { options: { multi_factor_auth_enabled: false } } } })
  assert.equal((await post(byPassword({ id: someone.id, password: someone.password }))).status, 201)
})

test('two methods must be of one user', async () => {
  const a = await inhabitant(), b = await inhabitant()
  const both = (id: string) => ({ identity: { methods: ['password', 'token'], password: { user: { id: a.id, password: a.password } }, token: { id } } })
  assert.equal((await post(both(await a.token()))).status, 201)
  assert.equal((await post(both(await b.token()))).status, 401)
})

test('tokens outlive a rotation of keys, and not being forgotten; no foreign seal opens', async () => {
  const someone = await inhabitant(), token = await someone.token()
  const life = { lifeSeconds: longestSealSeconds(api.deps.config) }, nowMs = (): number => Date.now() + offsetMs
  await rotateKeys(api.deps.store, { ...life, nowMs: nowMs() })
  offsetMs += 10_000
  const early = await someone.token()
  assert.equal(openFernet([api.deps.keyring.keys[1]!], early), undefined, 'others may not know the new key yet')
  offsetMs += 30_000
  const late = await someone.token()
  assert.ok(openFernet([api.deps.keyring.keys[0]!], late) && !openFernet([api.deps.keyring.keys[0]!], early), 'now the new one seals')
  for (let i = 0; i < 3; i++) assert.equal((await rotateKeys(api.deps.store, { ...life, nowMs: nowMs() })).forgotten, 0)
  for (const one of [token, early, late]) assert.equal(await works(one), true)
  const claims = (await api.deps.tokens.open(token))!
  const forged = sealFernet(newFernetKey(), pack(claims))
  assert.equal((await api.http('GET', '/identity/v3/auth/projects', { token: forged })).status, 401)
  offsetMs = 0
})

test('claims survive packing, whatever the ids look like', () => {
  const claims: Claims = {
    userId: 'a-user-of-another-directory', methods: ['password', 'token'], scope: { kind: 'project', id: 'b'.repeat(64) }, auditIds: [newAuditId(), newAuditId()], issuedAtSeconds: 1, expiresAtSeconds: 2 ** 33,
    userGeneration: 70_000, scopeGeneration: 0, applicationCredentialId: 'c'.repeat(32),
  }
  assert.deepEqual(unpack(pack(claims), 1), claims)
  for (const scope of [{ kind: 'unscoped' }, { kind: 'system' }, { kind: 'domain', id: 'default' }] as const) {
    const { applicationCredentialId: _gone, ...plain } = claims
    assert.deepEqual(unpack(pack({ ...plain, scope }), 1), { ...plain, scope })
  }
})

test('a token and its validation cost few queries, however much the catalogue holds', async () => {
  const cost = (work: () => Promise<unknown>): Promise<number> => queriesOf(api.store, work)
  const { id, password, projectId } = await api.inhabitant(), scoped = () => api.token({ id, password }, { project: { id: projectId } }), token = await scoped()
  const validate = (query: string) => api.http('GET', `/identity/v3/auth/tokens${query}`, { token, headers: { 'x-subject-token': token } })
  assert.equal(await cost(scoped), 6, 'failures, the user, the scope, what he may there (two), the catalogue')
  assert.equal(await cost(() => api.token({ id, password }, 'unscoped')), 3)
  assert.equal(await cost(() => validate('')), 5, 'two for each token, and the catalogue')
  assert.equal(await cost(() => validate('?nocatalog')), 4)
})

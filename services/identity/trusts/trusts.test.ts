import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queriesOf } from '#kit/testing/queries.ts'
import { adminPassword, startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'

let api: IdentityApi, offsetMs = 0
before(async () => { api = await startIdentity({ clock: () => Date.now() + offsetMs, config: { maxTrustsPerUser: 30 } }) })
after(() => api.close())

const post = (auth: object) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth } })
const v3 = (token: string, method: string, path: string, body?: unknown) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const works = async (token: string): Promise<boolean> => (await v3(token, 'GET', '/auth/projects')).status === 200
const show = (token: string) => api.http('GET', '/identity/v3/auth/tokens', { token: api.adminToken, headers: { 'x-subject-token': token } })
const wish = (from: { id: string, projectId: string }, to: { id: string }, more: object = {}) =>
  ({ trust: { trustor_user_id: from.id, trustee_user_id: to.id, project_id: from.projectId, impersonation: true, roles: [{ name: 'member' }], ...more } })
const lend = async (from: Inhabitant, to: { id: string }, more: object = {}) => v3(await from.token(), 'POST', '/OS-TRUST/trusts', wish(from, to, more))
const lent = async (from: Inhabitant, to: { id: string }, more: object = {}) => {
  const reply = await lend(from, to, more)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body.trust
}
const use = (who: Inhabitant, id: string) => post({ identity: { methods: ['password'], password: { user: { id: who.id, password: who.password } } }, scope: { 'OS-TRUST:trust': { id } } })
const tokenBy = async (who: Inhabitant, id: string): Promise<string> => {
  const reply = await use(who, id)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.headers.get('x-subject-token')!
}

test('a trust as keystone shows it, and the token it gives', async () => {
  const a = await api.inhabitant('manager'), b = await api.inhabitant()
  const expires = new Date(Date.now() + 600_000).toISOString().slice(0, 19)
  const trust = await lent(a, b, { expires_at: `${expires}Z` })
  assert.deepEqual({ ...trust, id: '', roles: trust.roles.map((r: any) => r.name) }, {
    id: '', trustor_user_id: a.id, trustee_user_id: b.id, project_id: a.projectId, impersonation: true, expires_at: `${expires}.000000Z`, remaining_uses: null, deleted_at: null, redelegated_trust_id: null,
    redelegation_count: 0, roles: ['member'], roles_links: { self: `${api.publicUrl}/identity/v3/OS-TRUST/trusts/${trust.id}/roles`, next: null, previous: null },
    links: { self: `${api.publicUrl}/identity/v3/OS-TRUST/trusts/${trust.id}` },
  })
  assert.deepEqual((await v3(await b.token(), 'GET', `/OS-TRUST/trusts/${trust.id}`)).body.trust, trust)
  const [listed] = (await v3(await a.token(), 'GET', `/OS-TRUST/trusts?trustor_user_id=${a.id}`)).body.trusts
  assert.deepEqual([listed.id, listed.roles], [trust.id, undefined])
  assert.deepEqual((await v3(await b.token(), 'GET', `/OS-TRUST/trusts?trustee_user_id=${b.id}`)).body.trusts.map((t: any) => t.id), [trust.id])
  assert.equal((await v3(await b.token(), 'HEAD', `/OS-TRUST/trusts/${trust.id}/roles/${trust.roles[0].id}`)).status, 200)
  assert.equal((await v3(await b.token(), 'GET', `/OS-TRUST/trusts/${trust.id}/roles/${api.seeded.roleIds.manager}`)).status, 404)

  const { token } = (await use(b, trust.id)).body
  assert.deepEqual(token['OS-TRUST:trust'], { id: trust.id, trustor_user: { id: a.id }, trustee_user: { id: b.id }, impersonation: true })
  assert.deepEqual([token.user.id, token.user.name, token.project.id, token.roles.map((r: any) => r.name), token.is_domain], [a.id, a.name, a.projectId, ['member', 'reader'], undefined])
  assert.ok(token.catalog.length > 0 && Date.parse(token.expires_at) <= Date.parse(`${expires}Z`))
  const plain = await lent(a, b, { impersonation: false })
  assert.equal((await use(b, plain.id)).body.token.user.id, b.id)
})

test('what cannot be lent: others\' roles, in others\' names, to nobody, with nonsense', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant()
  const status = async (more: object): Promise<number> => (await lend(a, b, more)).status
  assert.equal(await status({ trustor_user_id: b.id }), 403)
  assert.equal(await status({ roles: [{ name: 'admin' }] }), 404)
  assert.equal(await status({ roles: [{ name: 'nosuch' }] }), 404)
  assert.equal(await status({ roles: [] }), 403)
  assert.equal(await status({ trustee_user_id: 'nosuch' }), 404)
  assert.equal(await status({ project_id: b.projectId }), 404)
  assert.equal(await status({ project_id: 'nosuch' }), 404)
  for (const more of [
    { expires_at: 'bad.123Z' }, { expires_at: '2001-01-01T00:00:00Z' }, { remaining_uses: 0 }, { remaining_uses: -1 }, { remaining_uses: '1' }, { impersonation: 'yes' }, { roles: [{}] }, { roles: ['member'] },
    { redelegation_count: -1 }, { allow_redelegation: true, remaining_uses: 1 }, { trustor_user_id: undefined }, { roles: [{ id: 'x', name: 'y' }] },
  ]) assert.equal(await status(more), 400, JSON.stringify(more))
  assert.equal((await v3(await a.token(), 'POST', '/OS-TRUST/trusts', [])).status, 400)
  const expires_at = '2099-01-01T00:00:00Z'
  assert.deepEqual([await status({ expires_at }), await status({ expires_at })], [201, 409], 'the same twice')
})

test('only the trustee uses it, and not to get further tokens or lasting credentials', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant(), c = await api.inhabitant()
  const trust = await lent(a, b), token = await tokenBy(b, trust.id)
  assert.equal((await use(c, trust.id)).status, 403)
  assert.equal((await use(c, 'nosuch')).status, 401)
  for (const scope of [undefined, { project: { id: a.projectId } }, 'unscoped', { 'OS-TRUST:trust': { id: trust.id } }]) {
    assert.equal((await post({ identity: { methods: ['token'], token: { id: token } }, ...(scope !== undefined && { scope }) })).status, 403, JSON.stringify(scope))
  }
  assert.equal((await v3(token, 'POST', `/users/${a.id}/application_credentials`, { application_credential: { name: 'lasting' } })).status, 403)
  assert.equal((await v3(token, 'GET', `/users/${a.id}/application_credentials`)).status, 403)
  assert.equal((await v3(token, 'GET', `/users/${a.id}/access_rules`)).status, 403)
  assert.equal((await v3(token, 'POST', '/credentials', { credential: { user_id: a.id, type: 'totp', blob: 'GEZDGNBVGY3TQOJQ' } })).status, 403, 'not of the project')
  const { application_credential: made } = (await v3(await b.token(), 'POST', `/users/${b.id}/application_credentials`, { application_credential: { name: 'app', unrestricted: true } })).body
  const app = (await post({ identity: { methods: ['application_credential'], application_credential: { id: made.id, secret: made.secret } } })).headers.get('x-subject-token')!
  assert.equal((await v3(app, 'GET', `/OS-TRUST/trusts?trustee_user_id=${b.id}`)).status, 403)
  assert.equal((await v3(app, 'GET', `/OS-TRUST/trusts/${trust.id}`)).status, 403)
})

test('a use is a token, and of many who take the last at once one gets it', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant()
  const trust = await lent(a, b, { remaining_uses: 3 })
  const statuses = (await Promise.all(Array.from({ length: 8 }, () => use(b, trust.id)))).map((r) => r.status).sort()
  assert.deepEqual(statuses, [201, 201, 201, 401, 401, 401, 401, 401])
  assert.equal((await v3(await a.token(), 'GET', `/OS-TRUST/trusts/${trust.id}`)).status, 404, 'used up')
  assert.equal((await v3(await a.token(), 'GET', `/OS-TRUST/trusts?trustor_user_id=${a.id}`)).body.trusts[0].remaining_uses, 0)
  const last = await lent(a, b, { remaining_uses: 1 })
  assert.equal(await works(await tokenBy(b, last.id)), true, 'the last one lives')
})

test('its tokens end with the trust, its time, the trustor, the trustee, and any of its roles', async () => {
  const change = async (what: string, take: (a: Inhabitant, b: Inhabitant, trust: any) => Promise<unknown>, statusAfter = 401): Promise<void> => {
    const a = await api.inhabitant('manager'), b = await api.inhabitant()
    const trust = await lent(a, b, { roles: [{ name: 'member' }, { name: 'manager' }] }), token = await tokenBy(b, trust.id)
    assert.equal(await works(token), true, what)
    await take(a, b, trust)
    assert.equal(await works(token), false, what)
    assert.equal((await show(token)).status, 404, what)
    assert.equal((await use(b, trust.id)).status, statusAfter, what)
  }
  const user = (id: string, body: object) => api.admin('updateUser', { params: { user_id: id }, body: { user: body } })
  await change('deleting it', async (a, _b, trust) => v3(await a.token(), 'DELETE', `/OS-TRUST/trusts/${trust.id}`))
  await change('disabling the trustor', (a) => user(a.id, { enabled: false }), 403)
  await change('disabling the trustee', (_a, b) => user(b.id, { enabled: false }))
  await change('the trustee\'s new password', (_a, b) => user(b.id, { password: 'another' }))
  await change('deleting the trustor', (a) => api.admin('deleteUser', { params: { user_id: a.id } }))
  await change('deleting the project', (a) => api.admin('deleteProject', { params: { project_id: a.projectId } }))
  await change('disabling the project', (a) => api.admin('updateProject', { params: { project_id: a.projectId }, body: { project: { enabled: false } } }))
  // Still member, no longer manager.
  await change('losing one of the roles', async (a) => {
    await api.admin('createProjectUserGrant', { params: { ...a.grant.params, role_id: api.seeded.roleIds.member! } })
    await api.admin('revokeProjectUserGrant', a.grant)
  }, 403)
  const a = await api.inhabitant(), b = await api.inhabitant()
  const trust = await lent(a, b), token = await tokenBy(b, trust.id)
  await user(a.id, { password: 'another' })
  assert.equal(await works(token), false, 'the trustor\'s new password')
  assert.equal((await use(b, trust.id)).status, 201, 'the trust itself stands')
  const c = await api.inhabitant(), soon = await lent(c, b, { expires_at: new Date(Date.now() + 60_000).toISOString() }), short = await tokenBy(b, soon.id)
  offsetMs = 61_000
  assert.equal(await works(short), false)
  assert.equal((await use(b, soon.id)).status, 401)
  assert.equal((await v3(await c.token(), 'GET', `/OS-TRUST/trusts/${soon.id}`)).status, 404)
  assert.equal((await v3(await c.token(), 'GET', `/OS-TRUST/trusts?trustor_user_id=${c.id}`)).body.trusts.length, 1)
  offsetMs = 0
})

test('redelegation: ever less, in the first one\'s name, and gone when any above is', async () => {
  const a = await api.inhabitant('manager'), b = await api.inhabitant(), c = await api.inhabitant(), d = await api.inhabitant()
  const roles = { roles: [{ name: 'member' }] }
  const first = await lent(a, b, { allow_redelegation: true, redelegation_count: 2, expires_at: '2099-01-01T00:00:00Z' })
  assert.equal((await lend(a, b, { allow_redelegation: true, redelegation_count: 4 })).status, 403)
  assert.equal((await lent(a, b, { allow_redelegation: true })).redelegation_count, 3)
  const byB = await tokenBy(b, first.id)
  const hand = (token: string, to: Inhabitant, more: object = {}) => v3(token, 'POST', '/OS-TRUST/trusts', wish(a, to, { ...roles, allow_redelegation: true, ...more }))
  for (const [more, status] of [
    [{ roles: [{ name: 'manager' }] }, 403], [{ expires_at: '2100-01-01T00:00:00Z' }, 403], [{ redelegation_count: 2 }, 403], [{ remaining_uses: 1 }, 400], [{ allow_redelegation: false, remaining_uses: 1 }, 403],
    [{ project_id: b.projectId }, 404], [{ trustor_user_id: b.id }, 403],
  ] as const) assert.equal((await hand(byB, c, more)).status, status, JSON.stringify(more))
  const second = (await hand(byB, c)).body.trust
  assert.deepEqual([second.redelegated_trust_id, second.redelegation_count, second.expires_at, second.trustor_user_id], [first.id, 1, first.expires_at, a.id])
  const byC = await tokenBy(c, second.id)
  const third = (await hand(byC, d)).body.trust
  assert.equal(third.redelegation_count, 0)
  const byD = await tokenBy(d, third.id)
  assert.equal((await hand(byD, b)).status, 403, 'deep enough')
  assert.equal(await works(byD), true)
  await api.admin('updateUser', { params: { user_id: b.id }, body: { user: { enabled: false } } })
  assert.equal(await works(byD), false, 'who handed it on is disabled')
  await api.admin('updateUser', { params: { user_id: b.id }, body: { user: { enabled: true } } })
  assert.equal(await works(byD), true)
  assert.equal((await v3(await a.token(), 'DELETE', `/OS-TRUST/trusts/${first.id}`)).status, 204)
  for (const token of [byB, byC, byD]) assert.equal(await works(token), false)
  assert.equal((await use(d, third.id)).status, 401)
  const still = await lent(a, b, { impersonation: false, allow_redelegation: true })
  const own = await tokenBy(b, still.id)
  assert.equal((await v3(own, 'POST', '/OS-TRUST/trusts', wish({ id: b.id, projectId: a.projectId }, c, { impersonation: true }))).status, 403, 'no impersonation out of nothing')
  const plain = await v3(own, 'POST', '/OS-TRUST/trusts', wish({ id: b.id, projectId: a.projectId }, c, { impersonation: false }))
  assert.equal(plain.status, 201)
  assert.equal((await use(c, plain.body.trust.id)).body.token.user.id, c.id)
  await api.admin('revokeProjectUserGrant', a.grant)
  assert.equal((await use(c, plain.body.trust.id)).status, 403, 'the first one\'s roles are what is lent')
})

test('a list costs the same however long it is; validation a bounded number of queries', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant(), token = await a.token()
  const cost = (): Promise<number> => queriesOf(api.store, () => v3(token, 'GET', `/OS-TRUST/trusts?trustor_user_id=${a.id}`))
  await lent(a, b)
  const one = await cost()
  for (let i = 0; i < 5; i++) await lent(a, b)
  assert.equal(await cost(), one)
})

test('administrators see all, and end any', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant(), trust = await lent(a, b)
  const admin = await api.token({ name: 'admin', password: adminPassword }, { project: { id: api.seeded.adminProjectId } })
  assert.ok((await v3(admin, 'GET', '/OS-TRUST/trusts')).body.trusts.some((t: any) => t.id === trust.id))
  assert.equal((await v3(admin, 'DELETE', `/OS-TRUST/trusts/${trust.id}`)).status, 204)
  assert.equal((await v3(admin, 'DELETE', `/OS-TRUST/trusts/${trust.id}`)).status, 404)
})

test('a trust whose parent is not there any more is worth nothing', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant(), c = await api.inhabitant()
  const first = await lent(a, b, { allow_redelegation: true })
  const second = (await v3(await tokenBy(b, first.id), 'POST', '/OS-TRUST/trusts', wish(a, c))).body.trust, token = await tokenBy(c, second.id)
  assert.equal(await works(token), true)
  // As when the parent was ended while this one was being made, and was forgotten a week later.
  await api.deps.store.tx(async (tx) => { await tx.db.deleteFrom('identityTrusts').where('id', '=', first.id).execute() })
  assert.deepEqual([await works(token), (await use(c, second.id)).status], [false, 403])
})

test('nobody lends without end; what is ended makes room', async () => {
  const a = await api.inhabitant(), b = await api.inhabitant(), token = await a.token(), last = await lent(a, b)
  for (let i = 1; i < 30; i++) assert.equal((await v3(token, 'POST', '/OS-TRUST/trusts', wish(a, b))).status, 201)
  const refused = await lend(a, b)
  assert.deepEqual([refused.status, refused.body.error.message], [403, 'Unable to create additional trusts, maximum of 30 already exceeded for user.'])
  assert.equal((await v3(token, 'DELETE', `/OS-TRUST/trusts/${last.id}`)).status, 204)
  await lent(a, b)
})

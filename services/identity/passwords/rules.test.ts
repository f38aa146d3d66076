import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { checkRules, type SecurityRules } from './rules.ts'
import { failuresOf } from './store.ts'

const day = 86_400_000
const generous = { burst: 1000, everySeconds: 1 }
/** A cloud with rules, a clock of its own, and short words for what the tests do. */
async function cloud(t: TestContext, security: SecurityRules) {
  let offset = 0
  const api: IdentityApi = await startIdentity({ clock: () => Date.now() + offset, limiter: { pair: generous, source: generous, user: generous } })
  t.after(() => api.close())
  // The personas have passwords of their own making: the rules begin after them.
  api.deps.config.security = security
  let admin = api.adminToken
  const v3 = async (method: string, path: string, body?: unknown, token?: string) => api.http(method, `/identity/v3${path}`, { token: token ?? admin, ...(body !== undefined && { body }) })
  const logIn = (user: object) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user } } } } })
  return {
    api, v3, logIn, status: async (user: object) => (await logIn(user)).status,
    later: async (ms: number) => { offset += ms; admin = await api.token({ name: 'admin', password: 'the-admins-password' }, { project: { id: api.seeded.adminProjectId } }) },
    user: async (over: object = {}) => (await v3('POST', '/users', { user: { name: `user-${Math.random()}`, password: 'first', ...over } })).body.user,
    change: (id: string, original_password: string, password: string) => api.http('POST', `/identity/v3/users/${id}/password`, { body: { user: { original_password, password } } }),
  }
}

test('a password looks as it must, whoever sets it', async (t) => {
  const { v3, user, change } = await cloud(t, { passwordRegex: '(?=.*\\d).{5,}$', passwordRegexDescription: 'five characters, a digit among them' })
  const refused = await v3('POST', '/users', { user: { name: 'x', password: 'weak' } })
  assert.deepEqual([refused.status, refused.body.error.message], [400, 'The password does not match the requirements: five characters, a digit among them.'])
  const { id } = await user({ password: 'strong1' })
  assert.equal((await v3('PATCH', `/users/${id}`, { user: { password: 'strong' } })).status, 400)
  assert.equal((await change(id, 'strong1', 'strong')).status, 400)
  assert.equal((await change(id, 'wrong', 'strong')).status, 401, 'who he is comes first')
  assert.equal((await change(id, 'strong1', 'stronger2')).status, 204)
  assert.equal((await v3('POST', '/users', { user: { name: 'without' } })).status, 201)
  assert.throws(() => checkRules({ passwordRegex: '(' }), SyntaxError, 'found at the start, not at the first password')
})

test('a password ends after its days, unless its user is spared', async (t) => {
  const { v3, user, change, status, logIn, later } = await cloud(t, { passwordExpiresDays: 30 })
  const mortal = await user(), spared = await user({ options: { ignore_password_expiry: true } })
  assert.match(mortal.password_expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/)
  assert.equal(spared.password_expires_at, null)
  await v3('PATCH', `/users/${(await v3('GET', '/users?name=admin')).body.users[0].id}`, { user: { options: { ignore_password_expiry: true } } })
  const soon = new Date(Date.now() + 29 * day).toISOString().replace(/\.\d+/, ''), late = new Date(Date.now() + 31 * day).toISOString().replace(/\.\d+/, '')
  const found = async (query: string) => (await v3('GET', `/users?${query}`)).body.users.some((u: any) => u.id === mortal.id)
  assert.deepEqual([await found(`password_expires_at=gt:${soon}`), await found(`password_expires_at=lt:${soon}`), await found(`password_expires_at=gt:${soon}&password_expires_at=lt:${late}`)], [true, false, true])
  await later(31 * day)
  const expired = await logIn({ id: mortal.id, password: 'first' })
  assert.deepEqual([expired.status, expired.body.error.message], [401, `The password is expired and needs to be changed for user: ${mortal.id}.`])
  assert.doesNotMatch((await logIn({ id: mortal.id, password: 'wrong' })).body.error.message, /expired/, 'only who knows it is told')
  assert.equal(await status({ id: spared.id, password: 'first' }), 201)
  assert.equal((await change(mortal.id, 'first', 'second')).status, 204)
  assert.equal(await status({ id: mortal.id, password: 'second' }), 201)
})

test('who was given a password changes it first', async (t) => {
  const { v3, user, change, status } = await cloud(t, { changePasswordUponFirstUse: true })
  const newcomer = await user(), robot = await user({ options: { ignore_change_password_upon_first_use: true } })
  assert.deepEqual([await status({ id: newcomer.id, password: 'first' }), await status({ id: robot.id, password: 'first' })], [401, 201])
  assert.equal((await change(newcomer.id, 'first', 'mine')).status, 204)
  assert.equal(await status({ id: newcomer.id, password: 'mine' }), 201)
  await v3('PATCH', `/users/${newcomer.id}`, { user: { password: 'reset' } })
  assert.equal(await status({ id: newcomer.id, password: 'reset' }), 401)
})

test('no password comes back too soon, and none goes too soon', async (t) => {
  const { v3, user, change, later, api } = await cloud(t, { uniqueLastPasswordCount: 3, minimumPasswordAgeDays: 2 })
  const { id } = await user()
  assert.equal((await change(id, 'first', 'second')).status, 204, 'what an administrator gave may be changed at once')
  const early = await change(id, 'second', 'third')
  assert.equal(early.status, 400)
  assert.match(early.body.error.message, /it must be used for 2 day\(s\) before it can be changed\. Please try again in 1 day\(s\)/)
  await later(2 * day + 1000)
  for (const former of ['second', 'first']) {
    const refused = await change(id, 'second', former)
    assert.deepEqual([refused.status, refused.body.error.message], [400, 'The new password cannot be identical to a previous password. The total number which includes the new password must be unique is 3.'], former)
  }
  for (const [from, to] of [['second', 'third'], ['third', 'fourth']] as const) { assert.equal((await change(id, from, to)).status, 204); await later(3 * day) }
  assert.equal((await change(id, 'fourth', 'second')).status, 400)
  assert.equal((await change(id, 'fourth', 'first')).status, 204, 'long enough ago')
  assert.equal((await v3('PATCH', `/users/${id}`, { user: { password: 'first' } })).status, 200, 'administrators are free')
  const kept = () => api.store.read((tx) => tx.db.selectFrom('identityPasswords').select('userId').where('userId', '=', id).execute())
  assert.equal((await kept()).length, 3)
  await v3('DELETE', `/users/${id}`)
  assert.equal((await kept()).length, 0)
})

test('an account is locked after so many failures, and nothing tells that it is', async (t) => {
  const { v3, user, status, logIn, later, change } = await cloud(t, { lockoutFailureAttempts: 3, lockoutDurationSeconds: 600 })
  const victim = await user(), spared = await user({ options: { ignore_lockout_failure_attempts: true } })
  const right = { id: victim.id, password: 'first' }, wrong = { id: victim.id, password: 'wrong' }
  for (let i = 0; i < 2; i++) await status(wrong)
  assert.equal(await status(right), 201, 'which forgives the failures')
  for (let i = 0; i < 3; i++) { await status(wrong); await status({ id: spared.id, password: 'wrong' }) }
  const [locked, unknown, mistaken] = [await logIn(right), await logIn({ id: 'nobody', password: 'x' }), await logIn(wrong)]
  for (const reply of [unknown, mistaken]) assert.deepEqual([reply.status, reply.body], [locked.status, locked.body])
  assert.equal(locked.status, 401)
  assert.equal((await change(victim.id, 'first', 'mine')).status, 401, 'not by that door either')
  assert.equal(await status({ id: spared.id, password: 'first' }), 201)
  await later(300_000)
  await status(wrong)
  await later(301_000)
  assert.equal(await status(right), 201, 'who knocks at a locked door does not keep it locked')
  for (let i = 0; i < 3; i++) await status(wrong)
  assert.equal(await status(right), 401)
  assert.equal((await v3('PATCH', `/users/${victim.id}`, { user: { enabled: true } })).status, 200)
  assert.equal(await status(right), 201, 'an administrator let him in again')
})

test('without a duration only an administrator unlocks', async (t) => {
  const { v3, user, status, later } = await cloud(t, { lockoutFailureAttempts: 1 })
  const { id } = await user()
  await status({ id, password: 'wrong' })
  await later(1000 * day)
  assert.equal(await status({ id, password: 'first' }), 401)
  await v3('PATCH', `/users/${id}`, { user: { enabled: true } })
  assert.equal(await status({ id, password: 'first' }), 201)
})

test('a burst of guesses is no way round, and the unknown cost what the known cost', async (t) => {
  const { api, user, status } = await cloud(t, { lockoutFailureAttempts: 3, lockoutDurationSeconds: 600 })
  const { id } = await user()
  const tries = await Promise.all(Array.from({ length: 30 }, (_x, i) => status({ id, password: i === 25 ? 'first' : `guess ${i}` })))
  assert.equal(tries.filter((s) => s === 201).length, 0)
  assert.equal(Number((await api.deps.store.read((tx) => failuresOf(tx, id)))!.failures), 3)
  const cost = async (who: object) => { const before = api.store.queries; await status(who); return api.store.queries - before }
  const { id: another } = await user()
  assert.equal(await cost({ id: another, password: 'wrong' }), await cost({ id: 'nobody-at-all', password: 'wrong' }))
  assert.equal(await cost({ id: another, password: 'wrong' }), await cost({ id: 'nobody-at-all', password: 'wrong' }))
})

test('who was not here for long is disabled until an administrator enables him', async (t) => {
  const { v3, user, status, later, api } = await cloud(t, { disableUserAccountDaysInactive: 10 })
  await v3('PATCH', `/users/${api.seeded.adminUserId}`, { user: { options: { ignore_user_inactivity: true } } })
  const busy = await user(), idle = await user()
  await later(6 * day)
  assert.equal(await status({ id: busy.id, password: 'first' }), 201)
  await later(6 * day)
  assert.deepEqual([await status({ id: busy.id, password: 'first' }), await status({ id: idle.id, password: 'first' })], [201, 401])
  const enabled = async (id: string) => (await v3('GET', `/users/${id}`)).body.user.enabled
  assert.deepEqual([await enabled(busy.id), await enabled(idle.id)], [true, false])
  assert.equal((await v3('GET', '/users')).body.users.find((u: any) => u.id === idle.id).enabled, false)
  assert.equal((await v3('PATCH', `/users/${idle.id}`, { user: { enabled: true } })).body.user.enabled, true)
  assert.equal(await status({ id: idle.id, password: 'first' }), 201)
})

test('who was not here for long comes in by no other way either; who comes by another way is here', async (t) => {
  const { v3, user, later, api } = await cloud(t, { disableUserAccountDaysInactive: 10 })
  await v3('PATCH', `/users/${api.seeded.adminUserId}`, { user: { options: { ignore_user_inactivity: true } } })
  const made = async () => {
    const who = await user(), project = (await v3('POST', '/projects', { project: { name: who.name } })).body.project
    await v3('PUT', `/projects/${project.id}/users/${who.id}/roles/${api.seeded.roleIds.member}`)
    const token = await api.token({ id: who.id, password: 'first' }, { project: { id: project.id } })
    const app = (await v3('POST', `/users/${who.id}/application_credentials`, { application_credential: { name: 'app' } }, token)).body.application_credential
    return { id: who.id as string, come: async () => (await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['application_credential'], application_credential: { id: app.id, secret: app.secret } } } } })).status }
  }
  const busy = await made(), idle = await made()
  await later(6 * day)
  assert.equal(await busy.come(), 201)
  await later(6 * day)
  assert.deepEqual([await busy.come(), await idle.come()], [201, 401])
  await v3('PATCH', `/users/${idle.id}`, { user: { enabled: true } })
  assert.equal(await idle.come(), 201)
})

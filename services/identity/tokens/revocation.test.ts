// Two control planes on one database: what one takes away, the other sees at the next request; what keys one makes, the other uses.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { openFernet } from '#kit/crypto/fernet.ts'
import { authenticate } from '../authenticate.ts'
import { identityDeps, longestSealSeconds, type Deps } from '../deps.ts'
import { cheap } from '../passwords/hasher.ts'
import { startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'
import { rotateKeys } from './keys-store.ts'

let api: IdentityApi, other: Deps, offsetMs = 0
const clock = (): number => Date.now() + offsetMs, sealKey = Buffer.alloc(32, 7)
before(async () => {
  api = await startIdentity({ clock, sealKey })
  other = await identityDeps({ store: api.store, tracer: api.tracer, passwordCost: cheap, clock, sealKey })
})
after(() => api.close())
const v3 = (token: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }), ...(headers && { headers }) })
const there = async (token: string): Promise<boolean> => authenticate(other, () => 'u')(token, plainContext()).then(() => true, () => false)
const admin: IdentityApi['admin'] = (operation, call) => api.admin(operation, call)

test('on the other control plane too, at once', async () => {
  const change = async (what: string, take: (who: Inhabitant, token: string) => Promise<unknown>, make: (who: Inhabitant) => Promise<string> = (who) => who.token()): Promise<void> => {
    const who = await api.inhabitant(), token = await make(who)
    assert.equal(await there(token), true, what)
    await take(who, token)
    assert.equal(await there(token), false, what)
  }
  await change('revoking it', (_who, token) => v3(token, 'DELETE', '/auth/tokens', undefined, { 'x-subject-token': token }))
  await change('disabling the user', (who) => admin('updateUser', { params: { user_id: who.id }, body: { user: { enabled: false } } }))
  await change('deleting the user', (who) => admin('deleteUser', { params: { user_id: who.id } }))
  await change('another password', (who) => v3('', 'POST', `/users/${who.id}/password`, { user: { original_password: who.password, password: 'another' } }))
  await change('disabling the project', (who) => admin('updateProject', { params: { project_id: who.projectId }, body: { project: { enabled: false } } }))
  await change('deleting the project', (who) => admin('deleteProject', { params: { project_id: who.projectId } }))
  await change('taking the role', (who) => admin('revokeProjectUserGrant', who.grant))
  let id = ''
  await change('deleting the application credential', async (who) => assert.equal((await v3(await who.token(), 'DELETE', `/users/${who.id}/application_credentials/${id}`)).status, 204), async (who) => {
    const { application_credential: made } = (await v3(await who.token(), 'POST', `/users/${who.id}/application_credentials`, { application_credential: { name: 'one' } })).body
    id = made.id
    return (await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['application_credential'], application_credential: { id, secret: made.secret } } } } })).headers.get('x-subject-token')!
  })
  const trustee = await api.inhabitant()
  await change('ending the trust', async (who) => assert.equal((await v3(await who.token(), 'DELETE', `/OS-TRUST/trusts/${id}`)).status, 204), async (who) => {
    const trust = { trustor_user_id: who.id, trustee_user_id: trustee.id, project_id: who.projectId, impersonation: false, roles: [{ name: 'member' }] }
    id = (await v3(await who.token(), 'POST', '/OS-TRUST/trusts', { trust })).body.trust.id
    return trustee.token({ 'OS-TRUST:trust': { id } })
  })
  const domain = (await admin('createDomain', { body: { domain: { name: 'elsewhere' } } })).domain
  const user = (await admin('createUser', { body: { user: { name: 'x', domain_id: domain.id, password: 'pw' } } })).user
  const token = await api.token({ id: user.id, password: 'pw' }, 'unscoped')
  assert.equal(await there(token), true)
  await admin('updateDomain', { params: { domain_id: domain.id }, body: { domain: { enabled: false } } })
  assert.equal(await there(token), false, 'disabling the domain')
})

test('revocations of single tokens are listed, from a time on', async () => {
  const who = await api.inhabitant(), token = await who.token(), since = new Date(clock() - 1000).toISOString()
  const { audit_ids } = (await v3(token, 'GET', '/auth/tokens', undefined, { 'x-subject-token': token })).body.token
  assert.equal((await v3(token, 'DELETE', '/auth/tokens', undefined, { 'x-subject-token': token })).status, 204)
  const events = async (query: string): Promise<any[]> => (await v3(api.adminToken, 'GET', `/OS-REVOKE/events${query}`)).body.events
  assert.match((await events('')).find((e) => e.audit_id === audit_ids[0]).issued_before, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.deepEqual(Object.keys((await events(''))[0]), ['audit_id', 'issued_before', 'revoked_at'])
  assert.ok((await events(`?since=${since}`)).some((e) => e.audit_id === audit_ids[0]))
  assert.deepEqual(await events('?since=2099-01-01T00:00:00Z'), [])
  assert.equal((await v3(api.adminToken, 'GET', '/OS-REVOKE/events?since=yesterday')).status, 400)
})

test('keys: known to all before they seal, kept while a token under them may live, forgotten after', async () => {
  const lifeSeconds = longestSealSeconds(api.deps.config), keys = () => api.deps.store.read((tx) => tx.db.selectFrom('identityKeys').select('number').orderBy('number').execute())
  const who = await api.inhabitant(), before = await who.token()
  assert.deepEqual(await rotateKeys(other.store, { lifeSeconds, nowMs: clock() }), { number: 2, kept: 1, forgotten: 0 })
  assert.equal(await there(before), true)
  offsetMs += 31_000
  const after = await who.token()
  assert.ok(openFernet([api.deps.keyring.keys[0]!], after) && !openFernet([api.deps.keyring.keys[1]!], after), 'sealed under the new one')
  assert.ok(await there(after) && await there(before), 'which the other has found by itself')
  offsetMs += lifeSeconds * 1000 - 60_000
  assert.equal((await rotateKeys(other.store, { lifeSeconds, nowMs: clock() })).forgotten, 0, 'allow_expired may still ask for them')
  offsetMs += 180_000
  assert.deepEqual(await rotateKeys(other.store, { lifeSeconds, nowMs: clock() }), { number: 4, kept: 2, forgotten: 1 })
  assert.deepEqual((await keys()).map((k) => Number(k.number)), [2, 3, 4])
  await Promise.all([1, 2].map(() => rotateKeys(other.store, { lifeSeconds, nowMs: clock() })))
  assert.equal((await keys()).length, 4, 'two at once are one')
  await assert.rejects(async () => { for (;;) await rotateKeys(other.store, { lifeSeconds, nowMs: clock() }) }, /Rotate less often/)
  const last = await who.token()
  assert.ok((await rotateKeys(other.store, { lifeSeconds, forgetAll: true, nowMs: clock() })).forgotten >= 64)
  offsetMs += 11_000
  assert.equal(await there(last), false, 'all tokens end when all keys are forgotten')
  const again = await who.token()
  assert.equal(await there(again), true)
  await rotateKeys(api.deps.store, { lifeSeconds, forgetAll: true, nowMs: clock() })
  await api.deps.keyring.refresh(true)
  assert.equal((await v3(again, 'GET', '/auth/projects')).status, 401, 'at once where they were forgotten, however lately it had looked')
  offsetMs = 0
})

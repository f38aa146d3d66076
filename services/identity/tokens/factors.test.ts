import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sealFernet } from '#kit/crypto/fernet.ts'
import { startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'
import { decodeBase32, passcode, stepAt } from './totp.ts'

let api: IdentityApi, offsetMs = 0
before(async () => { api = await startIdentity({ clock: () => Date.now() + offsetMs }) })
after(() => api.close())

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
/** Each test has its own half minutes: a passcode is good once. */
const nextStep = (steps = 3): void => { offsetMs += steps * 30_000 }
const code = (back = 0, of = secret): string => passcode(decodeBase32(of)!, stepAt(Date.now() + offsetMs) - back)
const post = (identity: object, headers: Record<string, string> = {}, scope?: unknown) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity, ...(scope !== undefined && { scope }) } }, headers })
const byCode = (who: { id: string }, given: string) => ({ methods: ['totp'], totp: { user: { id: who.id, passcode: given } } })
const byPassword = (who: Inhabitant, password = who.password) => ({ methods: ['password'], password: { user: { id: who.id, password } } })
const withSecret = async (blob = secret): Promise<Inhabitant> => {
  const who = await api.inhabitant()
  assert.equal((await api.http('POST', '/identity/v3/credentials', { token: await who.token(), body: { credential: { user_id: who.id, type: 'totp', blob } } })).status, 201)
  return who
}
const bind = (who: Inhabitant, rules: unknown, enabled?: boolean) => api.admin('updateUser', { params: { user_id: who.id }, body: { user: { options: { multi_factor_auth_rules: rules, ...(enabled !== undefined && { multi_factor_auth_enabled: enabled }) } } } })

test('passcodes are as RFC 6238 has them', () => {
  for (const [seconds, expected] of [[59, '287082'], [1111111109, '081804'], [1111111111, '050471'], [1234567890, '005924'], [2000000000, '279037'], [20000000000, '353130']] as const) {
    assert.equal(passcode(Buffer.from('12345678901234567890'), stepAt(seconds * 1000)), expected)
  }
  assert.equal(decodeBase32('gezdgnbvgy3tqojq====')?.toString(), '1234567890')
  assert.equal(decodeBase32('ABC1'), undefined)
  assert.equal(decodeBase32(''), undefined)
})

test('a passcode lets in once, and neither an older nor a coming one; by name too', async () => {
  const who = await withSecret()
  const reply = await post(byCode(who, code()))
  assert.equal(reply.status, 201)
  assert.deepEqual([reply.body.token.methods, reply.body.token.user.id], [['totp'], who.id])
  assert.equal((await post(byCode(who, code()))).status, 401, 'twice')
  assert.equal((await post(byCode(who, code(1)))).status, 401, 'older than one that was used')
  nextStep()
  assert.equal((await post(byCode(who, code(2)))).status, 401, 'too old')
  assert.equal((await post(byCode(who, code(-1)))).status, 401, 'not yet')
  assert.equal((await post(byCode(who, code(1)))).status, 201, 'the one just over')
  nextStep()
  const byName = { methods: ['totp'], totp: { user: { name: who.name, domain: { id: 'default' }, passcode: code() } } }
  const both = await Promise.all([1, 2, 3].map(() => post(byName)))
  assert.deepEqual(both.map((r) => r.status).sort(), [201, 401, 401], 'of many at once one')
})

test('a secret that is no base32 is kept and lets nobody in; the good one beside it does', async () => {
  const who = await withSecret()
  for (const blob of ['no base 32!', '']) {
    assert.equal((await api.http('POST', '/identity/v3/credentials', { token: await who.token(), body: { credential: { user_id: who.id, type: 'totp', blob } } })).status, 201, blob)
  }
  nextStep()
  assert.equal((await post(byCode(who, '000000'))).status, 401)
  assert.equal((await post(byCode(who, code()))).status, 201)
})

test('no passcode for the wrong, the disabled, the unknown; guessing ends soon; nonsense is 400', async () => {
  const who = await withSecret(), off = await withSecret(), bare = await api.inhabitant()
  await api.admin('updateUser', { params: { user_id: off.id }, body: { user: { enabled: false } } })
  nextStep()
  const seen = new Set<string>()
  for (const identity of [byCode(who, '000000'), byCode(who, ''), byCode(who, 'ä'), byCode(off, code()), byCode(bare, code()), byCode({ id: 'nosuch' }, code()), { methods: ['totp'], totp: { user: { id: who.id } } }]) {
    const reply = await post(identity)
    assert.equal(reply.status, 401)
    seen.add(JSON.stringify(reply.body))
  }
  assert.equal(seen.size, 1)
  for (const totp of [{}, { user: {} }, { user: { id: who.id, passcode: 123456 } }, { user: { name: 'x', passcode: '1' } }, 7, null]) assert.equal((await post({ methods: ['totp'], totp })).status, 400, JSON.stringify(totp))
  let last = 0
  for (let i = 0; i < 6; i++) last = (await post(byCode(who, '111111'))).status
  assert.equal(last, 429)
})

test('who is bound to two methods gets a receipt for the first, and a token for both', async () => {
  const who = await withSecret()
  await bind(who, [['password', 'totp'], ['password', 'nosuch'], ['nosuch']])
  nextStep()
  assert.equal((await post(byPassword(who))).status, 201, 'a rule of methods that do not exist asks for the others only')
  await bind(who, [['password', 'totp'], ['totp', 'application_credential']])
  const first = await post(byPassword(who))
  assert.equal(first.status, 401)
  const receipt = first.headers.get('openstack-auth-receipt')!
  assert.deepEqual(Object.keys(first.body), ['receipt', 'required_auth_methods'])
  assert.deepEqual([first.body.receipt.methods, first.body.receipt.user, first.body.required_auth_methods], [['password'], { id: who.id, name: who.name, domain: { id: 'default', name: 'Default' } }, [['password', 'totp']]])
  assert.equal(Date.parse(first.body.receipt.expires_at) - Date.parse(first.body.receipt.issued_at), 300_000)
  assert.equal(first.headers.get('x-subject-token'), null)
  const second = await post(byCode(who, code()), { 'openstack-auth-receipt': receipt }, { project: { id: who.projectId } })
  assert.equal(second.status, 201)
  assert.deepEqual(second.body.token.methods.sort(), ['password', 'totp'])
  nextStep()
  assert.equal((await post({ ...byPassword(who), ...byCode(who, code()), methods: ['totp', 'password'] })).status, 201, 'or both at once')
  const token = second.headers.get('x-subject-token')!
  assert.equal((await post({ methods: ['token'], token: { id: token } })).status, 201, 'a token of both is of both')
  assert.equal((await post(byPassword(who, 'wrong'))).headers.get('openstack-auth-receipt'), null, 'nothing for the wrong password')
  await bind(who, [['password', 'totp']], false)
  assert.equal((await post(byPassword(who))).status, 201)
})

test('a receipt is its user\'s, of one password, for five minutes, and no token', async () => {
  const who = await withSecret(), other = await withSecret()
  for (const one of [who, other]) await bind(one, [['password', 'totp']])
  const receiptOf = async (one: Inhabitant): Promise<Record<string, string>> => ({ 'openstack-auth-receipt': (await post(byPassword(one))).headers.get('openstack-auth-receipt')! })
  const tried = async (headers: Record<string, string>): Promise<number> => { nextStep(); return (await post(byCode(who, code()), headers)).status }
  assert.equal(await tried(await receiptOf(other)), 401)
  const mine = await receiptOf(who)
  assert.equal((await api.http('GET', '/identity/v3/auth/projects', { token: mine['openstack-auth-receipt']! })).status, 401)
  for (const nonsense of ['x', mine['openstack-auth-receipt']!.slice(1), sealFernet(api.deps.keyring.keys[0]!, Buffer.from('another purpose')), await (await api.inhabitant()).token()]) assert.equal(await tried({ 'openstack-auth-receipt': nonsense }), 401)
  offsetMs += 300_000
  assert.equal(await tried(mine), 401, 'too late')
  const again = await receiptOf(who)
  await api.admin('updateUser', { params: { user_id: who.id }, body: { user: { password: 'another' } } })
  assert.equal(await tried(again), 401, 'the password it was had for is gone')
})

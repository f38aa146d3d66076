import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { termsOf } from './fields.ts'
import { startIdentity, type IdentityApi } from './testing.ts'

let api: IdentityApi, short: IdentityApi
before(async () => {
  api = await startIdentity()
  short = await startIdentity({ config: { listLimit: 3 } })
  for (const name of ['Alpha_one', 'alpha%two', 'ALPHA three', 'beta\\four']) await api.admin('createUser', { body: { user: { name, enabled: name !== 'beta\\four' } } })
})
after(() => Promise.all([api.close(), short.close()]))
const v3 = (path: string, token = api.adminToken) => api.http('GET', `/identity/v3${path}`, { token })
const users = async (query: string): Promise<string[]> => (await v3(`/users?${query}`)).body.users.map((u: any) => u.name).sort()

test('a part of a name finds what has it, in that place and with that case', async () => {
  assert.deepEqual(await users('name__contains=lpha'), ['Alpha_one', 'alpha%two'])
  assert.deepEqual(await users('name__icontains=LpHa'), ['ALPHA three', 'Alpha_one', 'alpha%two'])
  assert.deepEqual(await users('name__startswith=alpha'), ['alpha%two'])
  assert.deepEqual(await users('name__istartswith=alpha'), ['ALPHA three', 'Alpha_one', 'alpha%two'])
  assert.deepEqual(await users('name__endswith=one'), ['Alpha_one'])
  assert.deepEqual(await users('name__iendswith=ONE'), ['Alpha_one'])
  assert.deepEqual(await users('name__contains=%25'), ['alpha%two'], 'no pattern')
  assert.deepEqual(await users('name__contains=_'), ['Alpha_one'])
  assert.deepEqual(await users(`name__endswith=${encodeURIComponent('\\four')}`), ['beta\\four'])
  assert.deepEqual(await users('name__contains=l&name__contains=w'), ['alpha%two'], 'both')
  assert.equal((await users('name__contains=')).length, (await users('')).length)
  assert.equal((await users('name__resembles=x')).length, (await users('')).length, 'no filter of ours')
  assert.deepEqual(await users('name__contains=lpha&limit=1').then((n) => n.length), 1)
})

test('more conditions than anybody has are refused, not handed to the database', async () => {
  assert.equal((await v3(`/users?${'name__contains=a&'.repeat(1500)}`)).status, 200, 'one said often is one')
  assert.equal((await v3(`/users?${Array.from({ length: 1200 }, (_x, i) => `name__contains=${i}`).join('&')}`)).status, 400)
})

test('enabled is read as keystone reads it', async () => {
  for (const no of ['false', 'False', '0', 'no', 'off']) assert.deepEqual(await users(`enabled=${no}`), ['beta\\four'], no)
  for (const yes of ['true', '', '1', 'yes']) assert.ok(!(await users(`enabled=${yes}`)).includes('beta\\four'), yes)
})

test('every list knows them', async () => {
  for (const [noun, path, match] of [['projects', '/projects?name__startswith=our', 'ours'], ['roles', '/roles?name__endswith=ger', 'manager'], ['domains', '/domains?name__icontains=DEF', 'Default'], ['services', '/services?type__startswith=volume', 'cinderv3'],
    ['projects', `/users/${api.userId('member')}/projects?name__contains=ur`, 'ours']] as const) assert.deepEqual((await v3(path)).body[noun].map((x: any) => x.name), [match], path)
  for (const path of ['/groups?name__contains=x', '/endpoints?interface__contains=zzz', '/regions?parent_region_id__contains=x', `/users/${api.userId('member')}/groups?name__contains=x`]) {
    const reply = await v3(path)
    assert.deepEqual([reply.status, Object.values(reply.body)[0]], [200, []], path)
  }
})

test('a list that was cut says so, and how to go on', async () => {
  const cut = await short.http('GET', '/identity/v3/users', { token: short.adminToken })
  assert.deepEqual([cut.body.users.length, cut.body.truncated], [3, true])
  assert.equal(cut.body.links.next, `${short.publicUrl}/identity/v3/users?marker=${cut.body.users[2].id}`)
  const all = await short.http('GET', '/identity/v3/users?limit=100', { token: short.adminToken })
  assert.equal('truncated' in all.body, false)
  assert.ok(all.body.users.length > 3)
})

test('what is no column is no filter, whatever it is called', () => {
  assert.deepEqual(termsOf({ __proto__: 'x', constructor: 'x', passwordHash: 'x', name__: 'x', name__constructor: 'x', name__contains__more: 'x' }, { name: 'name' }),
    [{ column: 'name', how: 'contains', value: 'x', ignoreCase: false }])
})

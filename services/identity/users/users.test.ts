import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queriesOf } from '#kit/testing/queries.ts'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })

test('a user\'s life, in keystone\'s shape', async () => {
  const made = await v3('POST', '/users', { user: { name: 'ann', password: 'pw', email: 'ann@example.org', description: 'somebody', default_project_id: api.projectId } })
  assert.equal(made.status, 201)
  const { user } = made.body
  assert.deepEqual(user, {
    id: user.id, name: 'ann', domain_id: 'default', enabled: true, email: 'ann@example.org', description: 'somebody', default_project_id: api.projectId, password_expires_at: null, options: {},
    links: { self: `${api.publicUrl}/identity/v3/users/${user.id}` },
  })
  assert.match(user.id, /^[0-9a-f]{32}$/)
  assert.deepEqual((await v3('GET', `/users/${user.id}/`)).body.user, user)
  const changed = (await v3('PATCH', `/users/${user.id}`, { user: { name: 'anna', description: null, default_project_id: null, telephone: '1' } })).body.user
  assert.deepEqual([changed.name, changed.description, 'default_project_id' in changed, changed.telephone, changed.email], ['anna', null, false, '1', 'ann@example.org'])
  const list = (await v3('GET', '/users?name=anna')).body
  assert.deepEqual([list.users.length, list.links], [1, { self: `${api.publicUrl}/identity/v3/users?name=anna`, previous: null, next: null }])
  assert.equal((await v3('DELETE', `/users/${user.id}`)).status, 204)
  const gone = await v3('GET', `/users/${user.id}`)
  assert.deepEqual([gone.status, gone.body], [404, { error: { code: 404, title: 'Not Found', message: `Could not find user: ${user.id}.` } }])
})

test('what makes no sense is refused', async () => {
  for (const user of [{}, { name: '' }, { name: '  ' }, { name: 'x'.repeat(256) }, { name: 7 }, { name: 'x', enabled: 'maybe' }, { name: 'x', password: 7 }, { name: 'x', password: 'x'.repeat(4097) }, { name: 'x', domain_id: 'a/b' },
    { name: 'x', default_project_id: 'default' }, { name: 'x', options: { multi_factor_auth_rules: [[]] } }]) assert.equal((await v3('POST', '/users', { user })).status, 400, JSON.stringify(user))
  assert.equal((await v3('POST', '/users', { user: { name: 'x' }, more: 1 })).status, 400)
  assert.equal((await v3('POST', '/users', { user: { name: 'x', domain_id: 'nosuch' } })).status, 404)
  const id = api.userId('member')
  assert.equal((await v3('PATCH', `/users/${id}`, { user: {} })).status, 400)
  assert.equal((await v3('PATCH', `/users/${id}`, { user: { domain_id: 'other' } })).status, 400)
  assert.equal((await v3('PATCH', `/users/${id}`, { user: { id: 'other' } })).status, 400)
  assert.equal((await v3('PATCH', '/users/nosuch', { user: { name: 'x' } })).status, 404)
  assert.equal((await v3('GET', '/users?password_expires_at=lt:yesterday')).status, 400)
  assert.equal((await v3('GET', '/users?password_expires_at=lt:2030-01-01T00:00:00Z')).status, 200)
})

test('options are known ones, and null takes one away', async () => {
  const { user } = (await v3('POST', '/users', { user: { name: 'optional', options: { lock_password: true, ignore_password_expiry: true } } })).body
  assert.deepEqual((await v3('PATCH', `/users/${user.id}`, { user: { options: { lock_password: null } } })).body.user.options, { ignore_password_expiry: true })
  assert.equal((await v3('PATCH', `/users/${user.id}`, { user: { options: { colour: 'red' } } })).status, 400)
})

test('a key __proto__ is an attribute like any other', async () => {
  const made = await v3('POST', '/users', '{"user":{"name":"proto","__proto__":{"enabled":false,"polluted":1},"constructor":"c"}}')
  assert.equal(made.status, 201)
  assert.match(made.bytes.toString(), /"__proto__":\{"enabled":false,"polluted":1\}/)
  assert.equal(made.body.user.enabled, true)
  const shown = await v3('GET', `/users/${made.body.user.id}`)
  assert.match(shown.bytes.toString(), /"__proto__":\{"enabled":false,"polluted":1\},"constructor":"c"/)
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  const patched = await v3('PATCH', `/users/${made.body.user.id}`, '{"user":{"__proto__":2}}')
  assert.match(patched.bytes.toString(), /"__proto__":2/)
})

test('of many who take one name at once, one gets it', async () => {
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => v3('POST', '/users', { user: { name: 'wanted' } })))).map((r) => r.status)
  assert.deepEqual([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 409).length], [1, 19])
  assert.equal((await v3('PATCH', `/users/${api.userId('other')}`, { user: { name: 'wanted' } })).status, 409)
  const domain = (await v3('POST', '/domains', { domain: { name: 'elsewhere' } })).body.domain
  assert.equal((await v3('POST', '/users', { user: { name: 'wanted', domain_id: domain.id } })).status, 201, 'another domain has names of its own')
})

test('one changes one\'s own password with the old one, whoever else calls', async () => {
  const { id } = (await v3('POST', '/users', { user: { name: 'changer', password: 'old' } })).body.user
  const change = (body: unknown, as?: string) => api.http('POST', `/identity/v3/users/${id}/password`, { body, ...(as && { token: as }) })
  assert.equal((await change({ user: { original_password: 'wrong', password: 'new' } }, api.adminToken)).status, 401, 'not even the administrator')
  assert.equal((await change({ user: { password: 'new' } })).status, 400)
  assert.equal((await change({ user: { original_password: 'old', password: '' } })).status, 400)
  assert.equal((await api.http('POST', '/identity/v3/users/nosuch/password', { body: { user: { original_password: 'old', password: 'new' } } })).status, 401, 'tells not that there is no such user')
  assert.equal((await change({ user: { original_password: 'old', password: 'new' } })).status, 204)
  assert.equal((await change({ user: { original_password: 'old', password: 'newer' } })).status, 401)
  const both = await Promise.all([change({ user: { original_password: 'new', password: 'a' } }), change({ user: { original_password: 'new', password: 'b' } })])
  assert.equal(both.filter((r) => r.status === 204).length, 1, 'one of two at once')
  const locked = (await v3('POST', '/users', { user: { name: 'locked', password: 'old', options: { lock_password: true } } })).body.user
  assert.equal((await api.http('POST', `/identity/v3/users/${locked.id}/password`, { body: { user: { original_password: 'old', password: 'new' } } })).status, 400)
})

test('no answer and no list ever shows a password or its hash', async () => {
  await v3('POST', '/users', { user: { name: 'secretive', password: 'hunter2hunter2' } })
  const text = (await v3('GET', '/users')).bytes.toString()
  assert.equal(/hunter2|argon2|password_hash|passwordHash/.test(text), false)
})

test('pages follow one another, at a constant number of queries', async () => {
  for (let i = 0; i < 25; i++) await v3('POST', '/users', { user: { name: `many-${i}` } })
  const all = (await v3('GET', '/users')).body.users.map((u: any) => u.id)
  const paged: string[] = []
  for (let next: string | null = `${api.publicUrl}/identity/v3/users?limit=10`; next;) {
    const { body }: { body: any } = await api.http('GET', next.slice(api.publicUrl.length), { token: api.adminToken })
    assert.ok(body.users.length <= 10)
    paged.push(...body.users.map((u: any) => u.id))
    next = body.links.next
  }
  assert.deepEqual(paged, all)
  const cost = (path: string): Promise<number> => queriesOf(api.store, () => v3('GET', path))
  assert.equal(await cost('/users'), await cost('/users?limit=1'))
})

test('of two changes at once none is lost', async () => {
  const { id } = (await v3('POST', '/users', { user: { name: 'contended' } })).body.user
  const replies = await Promise.all(Array.from({ length: 10 }, (_x, i) => v3('PATCH', `/users/${id}`, { user: { [`attribute${i}`]: i } })))
  const kept = (await v3('GET', `/users/${id}`)).body.user
  replies.forEach((reply, i) => assert.equal(kept[`attribute${i}`], reply.status === 200 ? i : undefined))
})

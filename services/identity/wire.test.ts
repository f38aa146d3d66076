// What all of identity's answers and changes have in common, whatever they are about.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from './testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => api.http(method, `/identity/v3${path}`, { token: api.adminToken, headers, ...(body !== undefined && { body }) })

test('every answer depends on the token, refusals too', async () => {
  for (const path of ['/users', '/users/nosuch', '/nosuch', '/auth/tokens']) assert.equal((await v3('GET', path)).headers.get('vary'), 'X-Auth-Token', path)
  assert.equal((await api.http('GET', '/identity/v3/users')).headers.get('vary'), 'X-Auth-Token')
  assert.equal((await v3('GET', '')).headers.get('vary'), 'Accept, X-Auth-Token')
})

test('bodies may be called what the version document calls them', async () => {
  const { base, type } = (await v3('GET', '')).body.version['media-types'][0]
  for (const [name, contentType, status] of [['by-base', base, 201], ['by-type', `${type}; charset=utf-8`, 201], ['by-text', 'text/plain', 415]]) {
    assert.equal((await v3('POST', '/users', JSON.stringify({ user: { name } }), { 'content-type': contentType })).status, status, contentType)
  }
})

test('what never changes may be said again, not said anew', async () => {
  const service_id = (await v3('POST', '/services', { service: { type: 'fixed' } })).body.service.id
  const nouns: [string, string, object][] = [
    ['user', '/users', { name: 'fixed' }], ['group', '/groups', { name: 'fixed' }], ['project', '/projects', { name: 'fixed' }], ['domain', '/domains', { name: 'fixed' }], ['role', '/roles', { name: 'fixed' }],
    ['region', '/regions', {}], ['service', '/services', { type: 'fixed-too' }], ['endpoint', '/endpoints', { service_id, interface: 'public', url: 'http://x' }], ['policy', '/policies', { type: 'x', blob: '{}' }],
    ['credential', '/credentials', { type: 'x', blob: 'x', user_id: api.seeded.adminUserId }],
  ]
  for (const [noun, path, body] of nouns) {
    const made = (await v3('POST', path, { [noun]: body })).body[noun], change = async (set: object) => (await v3('PATCH', `${path}/${made.id}`, { [noun]: set }))
    const refused = await change({ id: 'other', extra: 1 })
    assert.equal(refused.status, 400, noun)
    for (const set of [{ id: made.id }, ...(made.domain_id ? [{ domain_id: made.domain_id }] : [])]) assert.equal((await change(set)).status, 200, `${noun} ${JSON.stringify(set)}`)
    if (made.domain_id) assert.equal((await change({ domain_id: 'other' })).status, 400, `${noun}'s domain`)
    assert.equal((await v3('GET', `${path}/${made.id}`)).body[noun].extra, undefined, 'a refused change leaves nothing')
  }
})

test('attributes that clients make up are kept, shown, changed, and do not pile up', async () => {
  const { id } = (await v3('POST', '/users', JSON.stringify({ user: { name: 'inventive', shoes: { size: 43 } } }).replace('"shoes"', '"__proto__": 1, "shoes"'))).body.user
  const change = async (set: object) => (await v3('PATCH', `/users/${id}`, { user: set })).status
  assert.equal(await change({ hat: 'x'.repeat(60_000), shoes: null }), 200)
  assert.equal(await change({ coat: 'x'.repeat(60_000) }), 400, 'with the hat it is too much')
  const reply = await v3('GET', `/users/${id}`)
  assert.deepEqual([reply.body.user.shoes, reply.body.user.hat.length, reply.body.user.coat, reply.bytes.toString().includes('"__proto__":1')], [null, 60_000, undefined, true])
  assert.equal(await change({ hat: '' }), 200)
  assert.equal(await change({ coat: 'x'.repeat(60_000) }), 200)
})

test('names and tags are kept without the spaces around them', async () => {
  for (const [noun, path] of [['user', '/users'], ['group', '/groups'], ['project', '/projects'], ['domain', '/domains']]) {
    const made = (await v3('POST', path!, { [noun!]: { name: '  wide\t', ...(noun === 'project' && { tags: [' a', 'a ', 'b'] }) } })).body[noun!]
    assert.equal(made.name, 'wide', noun)
    assert.equal((await v3('POST', path!, { [noun!]: { name: ' wide' } })).status, 409, `${noun}: the same name`)
    assert.equal((await v3('PATCH', `${path}/${made.id}`, { [noun!]: { name: ' wider ' } })).body[noun!].name, 'wider')
    if (noun !== 'project') continue
    assert.deepEqual(made.tags, ['a', 'b'])
    assert.equal((await v3('PUT', `/projects/${made.id}/tags/%20c%20`)).status, 201)
    assert.equal((await v3('PUT', `/projects/${made.id}/tags/c`)).status, 400, 'it is there already')
    assert.deepEqual((await v3('GET', `/projects/${made.id}/tags`)).body.tags, ['a', 'b', 'c'])
    assert.equal((await v3('PUT', `/projects/${made.id}/tags/%20`)).status, 400)
    for (const tags of [[' '], ['a,b'], ['']]) assert.equal((await v3('PUT', `/projects/${made.id}/tags`, { tags })).status, 400, JSON.stringify(tags))
    assert.deepEqual((await v3('PUT', `/projects/${made.id}/tags`, { tags: [' x ', 'x'] })).body.tags, ['x'])
  }
})

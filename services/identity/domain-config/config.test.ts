import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { configOf } from './store.ts'

let api: IdentityApi
before(async () => { api = await startIdentity({ config: { security: { passwordRegex: '^.{3,}$', passwordRegexDescription: 'three at least' } } }) })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
let names = 0
const domain = async (): Promise<string> => (await v3('POST', '/domains', { domain: { name: `domain-${++names}` } })).body.domain.id

test('a domain\'s config is written, changed and deleted as a whole, by group and by option', async () => {
  const path = `/domains/${await domain()}/config`
  const none = await v3('GET', path)
  assert.deepEqual([none.status, none.body.error.message], [404, `Could not find any options in domain configuration for domain ${path.split('/')[2]}.`])
  const config = { ldap: { url: 'ldap://x', user_tree_dn: 'ou=x' }, identity: { driver: 'ldap' } }
  const put = await v3('PUT', path, { config })
  assert.deepEqual([put.status, put.body], [201, { config }])
  assert.equal((await v3('PUT', path, { config })).status, 200, 'in place of another')
  assert.deepEqual((await v3('GET', `${path}/ldap`)).body, { config: { ldap: config.ldap } })
  assert.deepEqual((await v3('GET', `${path}/ldap/url`)).body, { config: { url: 'ldap://x' } })
  assert.deepEqual((await v3('PATCH', path, { config: { ldap: { url: 'ldap://y', user_filter: null } } })).body.config.ldap, { url: 'ldap://y', user_filter: null, user_tree_dn: 'ou=x' })
  assert.deepEqual((await v3('PATCH', `${path}/ldap`, { config: { ldap: { url: 'ldap://z' } } })).body.config.ldap.url, 'ldap://z')
  assert.deepEqual((await v3('PATCH', `${path}/ldap/url`, { config: { url: 'ldap://o' } })).body.config.ldap.url, 'ldap://o')
  assert.equal((await v3('PATCH', `${path}/ldap/suffix`, { config: { suffix: 'x' } })).status, 404, 'it has none')
  for (const [tail, bad] of [['/ldap', { identity: { driver: 'sql' } }], ['/ldap', { ldap: { url: 'x' }, identity: { driver: 'sql' } }], ['/ldap/url', { suffix: 'x' }], ['', {}], ['', { ldap: {} }], ['', { ldap: 'x' }], ['', { database: { connection: 'x' } }],
    ['', { identity: { password_hash_algorithm: 'x' } }], ['', { __proto__: 1, constructor: { name: 'x' } }], ['/database', { database: { x: 1 } }]] as const) {
    assert.equal((await v3('PATCH', path + tail, { config: bad })).status, 403, tail + JSON.stringify(bad))
  }
  for (const bad of [{ ldap: { url: { nested: 1 } } }, { ldap: { url: 'x'.repeat(20_000) } }]) assert.equal((await v3('PUT', path, { config: bad })).status, 400)
  assert.equal((await v3('DELETE', `${path}/ldap/url`)).status, 204)
  assert.equal((await v3('GET', `${path}/ldap/url`)).status, 404)
  assert.equal((await v3('DELETE', `${path}/ldap/url`)).status, 404)
  assert.equal((await v3('DELETE', `${path}/ldap`)).status, 204)
  assert.deepEqual((await v3('GET', path)).body, { config: { identity: { driver: 'ldap' } } })
  assert.equal((await v3('DELETE', path)).status, 204)
  assert.equal((await v3('GET', path)).status, 404)
  assert.equal((await v3('PUT', '/domains/nosuch/config', { config })).status, 404)
})

test('a password is kept sealed, used and never shown', async () => {
  const id = await domain(), path = `/domains/${id}/config`
  const put = await v3('PUT', path, { config: { ldap: { password: 'ldap-secret', user: 'cn=admin', url: 'ldap://:%(password)s@x/%(other)s' } } })
  assert.deepEqual(put.body.config.ldap, { user: 'cn=admin', url: 'ldap://:%(password)s@x/%(other)s' })
  for (const tail of ['', '/ldap', '/ldap/password']) assert.equal((await v3('GET', path + tail)).bytes.toString().includes('ldap-secret'), false, tail)
  assert.equal((await v3('GET', `${path}/ldap/password`)).status, 404)
  assert.equal((await v3('PATCH', `${path}/ldap/password`, { config: { password: 'another-secret' } })).bytes.toString().includes('another-secret'), false)
  assert.equal((await v3('GET', '/domains/config/ldap/password/default')).status, 403)
  const kept = await api.store.read((tx) => tx.db.selectFrom('identityDomainOptions').selectAll().where('domainId', '=', id).execute())
  assert.equal(JSON.stringify(kept).includes('secret'), false)
  assert.equal((await api.deps.store.read((tx) => configOf(tx, api.deps.vault, id))).ldap!.url, 'ldap://:another-secret@x/%(other)s')
})

test('defaults, whole and in part', async () => {
  const all = (await v3('GET', '/domains/config/default')).body.config
  assert.deepEqual(all.identity, { driver: 'sql', list_limit: null })
  assert.equal('password' in all.ldap, false)
  assert.deepEqual((await v3('GET', '/domains/config/identity/default')).body, { config: { identity: all.identity } })
  assert.deepEqual((await v3('GET', '/domains/config/identity/driver/default')).body, { config: { driver: 'sql' } })
  assert.equal((await v3('GET', '/domains/config/database/default')).status, 403)
})

test('a domain\'s list_limit bounds its lists and no others', async () => {
  const id = await domain()
  for (const name of ['a', 'b', 'c']) await v3('POST', '/users', { user: { name, domain_id: id } })
  await v3('PUT', `/domains/${id}/config`, { config: { identity: { list_limit: 2 } } })
  const cut = (await v3('GET', `/users?domain_id=${id}`)).body
  assert.deepEqual([cut.users.length, cut.truncated], [2, true])
  assert.equal((await v3('GET', `/users?domain_id=${id}&limit=3`)).body.users.length, 3)
  assert.ok((await v3('GET', '/users')).body.users.length > 3)
})

test('everybody may know what passwords must look like, and nothing else', async () => {
  const member = (path: string) => v3('GET', path, undefined, api.as('member'))
  assert.deepEqual((await member('/domains/default/config/security_compliance')).body, { config: { security_compliance: { password_regex: '^.{3,}$', password_regex_description: 'three at least' } } })
  assert.deepEqual((await member('/domains/default/config/security_compliance/password_regex')).body, { config: { password_regex: '^.{3,}$' } })
  assert.equal((await member('/domains/default/config/security_compliance/lockout_duration')).status, 403)
  assert.equal((await member(`/domains/${await domain()}/config/security_compliance`)).status, 403)
  assert.equal((await member('/domains/default/config')).status, 403)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { jsonHome, prefersJsonHome } from './json-home.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const rel = 'https://docs.openstack.org/api/openstack-identity/3/rel/', ext = 'https://docs.openstack.org/api/openstack-identity/3/ext/', param = 'https://docs.openstack.org/api/openstack-identity/3/param/'
const home = async (path: string) => api.http('GET', `/identity${path}`, { headers: { accept: 'application/json-home' } })

test('who asks for it gets the document, below the version and at the root', async () => {
  for (const [path, prefix] of [['/', '/v3'], ['/v3', ''], ['/v3/', '']] as const) {
    const { status, headers, body: { resources } } = await home(path)
    assert.deepEqual([status, headers.get('content-type')], [200, 'application/json-home'])
    assert.deepEqual(resources[`${rel}auth_tokens`], { href: `${prefix}/auth/tokens` })
    assert.deepEqual(resources[`${rel}user`], { 'href-template': `${prefix}/users/{user_id}`, 'href-vars': { user_id: `${param}user_id` } })
    assert.deepEqual(resources[`${rel}limit_model`], { href: `${prefix}/limits/model`, hints: { status: 'experimental' } })
    assert.deepEqual(resources[`${ext}OS-EP-FILTER/1.0/rel/endpoint_group`], {
      'href-template': `${prefix}/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}`, 'href-vars': { endpoint_group_id: `${ext}OS-EP-FILTER/1.0/param/endpoint_group_id` },
    })
    assert.ok(Object.keys(resources).length > 80)
  }
})

test('what is not built is not in it', () => {
  assert.deepEqual(Object.keys((jsonHome(['/users/{id}'], '') as { resources: object }).resources), [`${rel}user`])
})

test('whoever takes anything else gets the version documents', async () => {
  for (const accept of [undefined, '', '*/*', 'application/json', 'application/json, application/json-home', 'application/json-home;q=0.5, application/json', 'text/html', 'application/json-home;q=0', ';q=x,,']) assert.equal(prefersJsonHome(accept), false, accept)
  for (const accept of ['application/json-home', 'APPLICATION/JSON-HOME', 'application/json-home, */*;q=0.1', 'application/json;q=0.2, application/json-home;q=0.3']) assert.equal(prefersJsonHome(accept), true, accept)
  assert.equal((await api.http('GET', '/identity/v3', { headers: { accept: '*/*' } })).body.version.id, 'v3.14')
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { fillUrl } from './entries-store.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })

test('URLs are filled in for the caller, or left out', () => {
  assert.equal(fillUrl('http://x/%(project_id)s/$(tenant_id)s/%(user_id)s', 'u', 'p'), 'http://x/p/p/u')
  assert.equal(fillUrl('http://x/%(project_id)s', 'u', undefined), undefined)
  assert.equal(fillUrl('http://x/%(other)s', 'u', 'p'), undefined)
  assert.equal(fillUrl('http://x/100%', 'u', undefined), 'http://x/100%')
})

test('services and endpoints come into the catalogue, and leave it when disabled or deleted', async () => {
  const service = (await v3('POST', '/services', { service: { type: 'object-store', name: 'swift', description: 'd' } })).body.service
  assert.deepEqual(service, { id: service.id, type: 'object-store', name: 'swift', description: 'd', enabled: true, links: { self: `${api.publicUrl}/identity/v3/services/${service.id}` } })
  const make = (body: object) => v3('POST', '/endpoints', { endpoint: { interface: 'public', url: 'http://10.0.0.1/AUTH_%(project_id)s', service_id: service.id, ...body } })
  const endpoint = (await make({ region_id: 'RegionOne' })).body.endpoint
  assert.deepEqual(endpoint, {
    id: endpoint.id, interface: 'public', url: 'http://10.0.0.1/AUTH_%(project_id)s', service_id: service.id, region_id: 'RegionOne', region: 'RegionOne', enabled: true,
    links: { self: `${api.publicUrl}/identity/v3/endpoints/${endpoint.id}` },
  })
  const inCatalog = async () => (await v3('GET', '/auth/catalog', undefined, api.as('member'))).body.catalog.find((s: any) => s.type === 'object-store')
  assert.equal((await inCatalog()).endpoints[0].url, `http://10.0.0.1/AUTH_${api.projectId}`)
  for (const bad of [{ interface: 'private' }, { url: 'nonsense' }, { url: 'http://x/%(password)s' }, { service_id: 'nosuch' }, { region_id: 'nosuch' }, { enabled: 'x' }]) assert.equal((await make(bad)).status, 400, JSON.stringify(bad))
  assert.equal((await make({ region: 'Elsewhere' })).body.endpoint.region_id, 'Elsewhere', 'the older word makes the region')
  assert.equal((await v3('GET', '/regions/Elsewhere')).status, 200)
  assert.equal((await v3('DELETE', '/regions/Elsewhere')).status, 403, 'in use')
  await v3('PATCH', `/endpoints/${endpoint.id}`, { endpoint: { enabled: false } })
  assert.deepEqual((await inCatalog()).endpoints.map((e: any) => e.region), ['Elsewhere'])
  await v3('PATCH', `/services/${service.id}`, { service: { enabled: false } })
  assert.equal(await inCatalog(), undefined)
  assert.equal((await v3('DELETE', `/services/${service.id}`)).status, 204)
  assert.equal((await v3('GET', `/endpoints/${endpoint.id}`)).status, 404)
})

test('regions stand below one another, never in a circle', async () => {
  assert.equal((await v3('POST', '/regions', { region: { id: 'a' } })).status, 201)
  assert.equal((await v3('PUT', '/regions/b', { region: { parent_region_id: 'a' } })).status, 201)
  assert.equal((await v3('PUT', '/regions/c', { region: { id: 'd' } })).status, 400)
  assert.equal((await v3('POST', '/regions', { region: { id: 'a' } })).status, 409)
  assert.equal((await v3('POST', '/regions', { region: { parent_region_id: 'nosuch' } })).status, 404)
  assert.equal((await v3('PATCH', '/regions/a', { region: { parent_region_id: 'b' } })).status, 400)
  assert.match((await v3('POST', '/regions', { region: {} })).body.region.id, /^[0-9a-f]{32}$/)
  assert.deepEqual((await v3('GET', '/regions?parent_region_id=a')).body.regions.map((r: any) => r.id), ['b'])
  assert.equal((await v3('DELETE', '/regions/a')).status, 204)
  assert.equal((await v3('GET', '/regions/b')).status, 404)
})

test('version documents, with and without a slash at the end', async () => {
  for (const path of ['/identity', '/identity/']) {
    const reply = await api.http('GET', path)
    assert.deepEqual([reply.status, reply.headers.get('location')], [300, `${api.publicUrl}/identity/v3/`])
    assert.deepEqual(reply.body.versions.values.map((v: any) => [v.id, v.status]), [['v3.14', 'stable']])
  }
  for (const path of ['/identity/v3', '/identity/v3/']) assert.equal((await api.http('GET', path)).body.version.links[0].href, `${api.publicUrl}/identity/v3/`)
  assert.equal((await api.http('GET', '/identity', { headers: { host: 'evil.example' } })).body.versions.values[0].links[0].href, `${api.publicUrl}/identity/v3/`)
})

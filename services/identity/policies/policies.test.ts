import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const ok = async (method: string, path: string, body?: unknown) => {
  const reply = await v3(method, path, body)
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`)
  return reply.body
}
const policy = async (): Promise<string> => (await ok('POST', '/policies', { policy: { type: 't', blob: 'b' } })).policy.id
const endpoint = async (service_id: string, over: object = {}) => (await ok('POST', '/endpoints', { endpoint: { interface: 'public', url: 'http://10.0.0.1/', service_id, ...over } })).endpoint
const service = async (type: string) => (await ok('POST', '/services', { service: { type, name: type } })).service

test('a policy\'s life', async () => {
  const { policy: made } = await ok('POST', '/policies', { policy: { type: 'application/json', blob: '{"a": 1}', project_id: 'p' } })
  assert.deepEqual(made, { id: made.id, type: 'application/json', blob: '{"a": 1}', project_id: 'p', links: { self: `${api.publicUrl}/identity/v3/policies/${made.id}` } })
  assert.equal((await ok('PATCH', `/policies/${made.id}`, { policy: { blob: 'x' } })).policy.blob, 'x')
  assert.deepEqual((await ok('GET', '/policies?type=application/json')).policies.map((p: any) => p.id), [made.id])
  for (const bad of [{}, { type: 't' }, { blob: 'b' }, { type: 't', blob: {} }, { type: 'x'.repeat(256), blob: '' }]) assert.equal((await v3('POST', '/policies', { policy: bad })).status, 400)
  assert.equal((await v3('DELETE', `/policies/${made.id}`)).status, 204)
  assert.equal((await v3('GET', `/policies/${made.id}`)).status, 404)
})

test('the nearest association says which policy an endpoint asks for', async () => {
  await ok('PUT', '/regions/north', { region: {} })
  await ok('PUT', '/regions/far-north', { region: { parent_region_id: 'north' } })
  const { id: serviceId } = await service('policed'), there = await endpoint(serviceId, { region_id: 'far-north' }), elsewhere = await endpoint(serviceId)
  const [ofEndpoint, ofRegion, ofService] = [await policy(), await policy(), await policy()]
  const holds = async (endpointId: string) => (await v3('GET', `/endpoints/${endpointId}/OS-ENDPOINT-POLICY/policy`)).body.policy?.id
  const at = (id: string) => ({
    endpoint: `/policies/${id}/OS-ENDPOINT-POLICY/endpoints/${there.id}`, service: `/policies/${id}/OS-ENDPOINT-POLICY/services/${serviceId}`, region: `/policies/${id}/OS-ENDPOINT-POLICY/services/${serviceId}/regions/north`,
  })
  assert.equal((await v3('GET', `/endpoints/${there.id}/OS-ENDPOINT-POLICY/policy`)).status, 404)
  await ok('PUT', at(ofService).service)
  assert.deepEqual([await holds(there.id), await holds(elsewhere.id)], [ofService, ofService])
  await ok('PUT', at(ofRegion).region)
  assert.deepEqual([await holds(there.id), await holds(elsewhere.id)], [ofRegion, ofService], 'the region above')
  await ok('PUT', at(ofEndpoint).endpoint)
  assert.equal(await holds(there.id), ofEndpoint)
  for (const method of ['GET', 'HEAD']) assert.equal((await v3(method, at(ofEndpoint).endpoint)).status, 204)
  assert.equal((await v3('GET', at(ofRegion).endpoint)).status, 404)
  await ok('PUT', at(ofRegion).endpoint)
  assert.equal(await holds(there.id), ofRegion, 'a second association of the same endpoint takes the place of the first')
  const listed = async (id: string) => (await ok('GET', `/policies/${id}/OS-ENDPOINT-POLICY/endpoints`)).endpoints.map((e: any) => e.id).sort()
  assert.deepEqual([await listed(ofRegion), await listed(ofService), await listed(ofEndpoint)], [[there.id], [there.id, elsewhere.id].sort(), []])
  for (let i = 0; i < 2; i++) assert.equal((await v3('DELETE', at(ofService).service)).status, 204)
  assert.equal((await v3('PUT', at('nosuch').service)).status, 404)
  assert.equal((await v3('PUT', `/policies/${ofService}/OS-ENDPOINT-POLICY/services/nosuch`)).status, 404)
  await ok('DELETE', `/policies/${ofRegion}`)
  assert.equal(await holds(there.id), undefined)
})

test('an endpoint group\'s life', async () => {
  const { endpoint_group: made } = await ok('POST', '/OS-EP-FILTER/endpoint_groups', { endpoint_group: { name: 'g', filters: { interface: 'admin' } } })
  assert.deepEqual(made, { id: made.id, name: 'g', description: null, filters: { interface: 'admin' }, links: { self: `${api.publicUrl}/identity/v3/OS-EP-FILTER/endpoint_groups/${made.id}` } })
  const one = `/OS-EP-FILTER/endpoint_groups/${made.id}`
  assert.deepEqual((await ok('PATCH', one, { endpoint_group: { description: 'd', filters: { region_id: 'RegionOne' } } })).endpoint_group, { ...made, description: 'd', filters: { region_id: 'RegionOne' } }, 'filters are replaced as a whole')
  assert.ok((await ok('GET', `${one}/endpoints`)).endpoints.some((e: any) => e.interface === 'public'))
  for (const bad of [{ name: 'x' }, { name: 'x', filters: {} }, { name: 'x', filters: { url: 'x' } }, { name: 'x', filters: { interface: 'secret' } }, { filters: { interface: 'admin' } }, { name: '', filters: { interface: 'admin' } }]) {
    assert.equal((await v3('POST', '/OS-EP-FILTER/endpoint_groups', { endpoint_group: bad })).status, 400, JSON.stringify(bad))
  }
  assert.deepEqual((await ok('PATCH', one, { endpoint_group: { filters: {} } })).endpoint_group.filters, {}, 'a change may take the last filter away')
  assert.deepEqual((await ok('GET', '/OS-EP-FILTER/endpoint_groups?name=g')).endpoint_groups.map((g: any) => g.id), [made.id])
  assert.equal((await v3('DELETE', one)).status, 204)
  assert.equal((await v3('GET', one)).status, 404)
})

test('a project with associations sees their endpoints and no others', async () => {
  const who = await api.inhabitant(), token = await who.token()
  const seen = async () => (await v3('GET', '/auth/catalog', undefined, token)).body.catalog.flatMap((s: any) => s.endpoints.map((e: any) => `${s.type} ${e.interface}`)).sort()
  const everything = await seen()
  assert.ok(everything.length >= 6)
  const { id: serviceId } = await service('filtered'), shown = await endpoint(serviceId), hidden = await endpoint(serviceId, { interface: 'admin' })
  const direct = `/OS-EP-FILTER/projects/${who.projectId}/endpoints`
  assert.equal((await v3('HEAD', `${direct}/${shown.id}`)).status, 404)
  await ok('PUT', `${direct}/${shown.id}`)
  assert.equal((await v3('HEAD', `${direct}/${shown.id}`)).status, 204)
  assert.deepEqual(await seen(), ['filtered public'])
  const { id: groupId } = (await ok('POST', '/OS-EP-FILTER/endpoint_groups', { endpoint_group: { name: 'volumes', filters: { interface: 'internal' } } })).endpoint_group
  const group = `/OS-EP-FILTER/endpoint_groups/${groupId}/projects/${who.projectId}`
  await ok('PUT', group)
  assert.equal((await v3('PUT', group)).status, 409)
  assert.deepEqual((await ok('GET', group)), { project_endpoint_group: { endpoint_group_id: groupId, project_id: who.projectId, links: { self: `${api.publicUrl}/identity/v3${group}` } } })
  assert.equal((await v3('HEAD', group)).status, 200)
  assert.deepEqual(await seen(), ['filtered public', 'identity internal', 'volumev3 internal'])
  assert.deepEqual((await ok('GET', direct)).endpoints.map((e: any) => e.interface).sort(), ['internal', 'internal', 'public'])
  assert.deepEqual((await ok('GET', `/OS-EP-FILTER/projects/${who.projectId}/endpoint_groups`)).endpoint_groups.map((g: any) => g.id), [groupId])
  assert.deepEqual((await ok('GET', `/OS-EP-FILTER/endpoint_groups/${groupId}/projects`)).projects.map((p: any) => p.id), [who.projectId])
  assert.deepEqual((await ok('GET', `/OS-EP-FILTER/endpoints/${shown.id}/projects`)).projects.map((p: any) => p.id), [who.projectId])
  assert.equal((await v3('GET', '/auth/catalog', undefined, api.as('member'))).body.catalog.length > 2, true, 'others see all')
  assert.equal((await v3('DELETE', `${direct}/${hidden.id}`)).status, 404)
  await ok('DELETE', `/endpoints/${shown.id}`)
  assert.deepEqual((await ok('GET', direct)).endpoints.map((e: any) => e.interface), ['internal', 'internal'])
  await ok('DELETE', group)
  assert.equal((await v3('DELETE', group)).status, 404)
  assert.deepEqual(await seen(), [...everything, 'filtered admin'].sort())
  for (const path of [`/OS-EP-FILTER/projects/nosuch/endpoints`, `${direct}/nosuch`, '/OS-EP-FILTER/endpoint_groups/nosuch/projects']) assert.equal((await v3('GET', path)).status, 404, path)
})

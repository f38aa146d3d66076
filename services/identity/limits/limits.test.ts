import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { checkTree } from './model.ts'

let api: IdentityApi, strict: IdentityApi
before(async () => { api = await startIdentity(); strict = await startIdentity({ config: { enforcementModel: 'strict_two_level' } }) })
after(() => Promise.all([api.close(), strict.close()]))
const at = (cloud: () => IdentityApi) => (method: string, path: string, body?: unknown, token = cloud().adminToken) => cloud().http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const v3 = at(() => api), strictV3 = at(() => strict)
let names = 0
/** A service with one registered resource. */
const registered = async (call = v3, over: object = {}) => {
  const { service } = (await call('POST', '/services', { service: { type: `type-${++names}`, name: 's' } })).body
  const reply = await call('POST', '/registered_limits', { registered_limits: [{ service_id: service.id, resource_name: 'volumes', default_limit: 10, ...over }] })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return { service, limit: reply.body.registered_limits[0], body: reply.body }
}

test('a registered limit\'s life, in keystone\'s shape', async () => {
  const { service, limit, body } = await registered(v3, { region_id: 'RegionOne', description: 'd' })
  assert.deepEqual(body, { registered_limits: [{
    id: limit.id, service_id: service.id, region_id: 'RegionOne', resource_name: 'volumes', default_limit: 10, description: 'd', links: { self: `${api.publicUrl}/identity/v3/registered_limits/${limit.id}` },
  }] })
  assert.deepEqual((await v3('GET', `/registered_limits/${limit.id}`, undefined, api.as('reader'))).body.registered_limit, limit)
  const patch = (registered_limit: object) => v3('PATCH', `/registered_limits/${limit.id}`, { registered_limit })
  assert.deepEqual((await patch({ default_limit: -1, description: null, region_id: null, resource_name: 'snapshots' })).body.registered_limit,
    { ...limit, default_limit: -1, description: null, region_id: null, resource_name: 'snapshots' })
  for (const bad of [{ default_limit: -2 }, { default_limit: 2 ** 31 }, { default_limit: '5' }, { service_id: 'nosuch' }, { region_id: 'nosuch' }, { id: 'x' }, { resource_name: '' }]) assert.equal((await patch(bad)).status, 400, JSON.stringify(bad))
  assert.equal((await v3('DELETE', `/registered_limits/${limit.id}`)).status, 204)
  assert.equal((await v3('GET', `/registered_limits/${limit.id}`)).status, 404)
})

test('many at once: all of them or none, and no two of one kind', async () => {
  const { service } = await registered()
  const make = (...registered_limits: object[]) => v3('POST', '/registered_limits', { registered_limits: registered_limits.map((l) => ({ service_id: service.id, default_limit: 1, ...l })) })
  assert.equal((await make({ resource_name: 'a' }, { resource_name: 'volumes' })).status, 409)
  assert.deepEqual((await v3('GET', `/registered_limits?service_id=${service.id}&resource_name=a`)).body.registered_limits, [])
  assert.equal((await make({ resource_name: 'a' }, { resource_name: 'a', region_id: 'RegionOne' })).status, 201)
  assert.equal((await make()).status, 400)
  assert.equal((await make({ resource_name: 'x', service_id: 'nosuch' })).status, 400)
  assert.equal((await make({ resource_name: 'x', more: 1 })).status, 400)
  assert.equal((await make(...Array.from({ length: 501 }, (_x, i) => ({ resource_name: `r${i}` })))).status, 400)
  const names = async (query: string) => (await v3('GET', `/registered_limits?service_id=${service.id}&${query}`)).body.registered_limits.map((l: any) => `${l.resource_name}@${l.region_id}`).sort()
  assert.deepEqual(await names(''), ['a@RegionOne', 'a@null', 'volumes@null'])
  assert.deepEqual(await names('region_id=RegionOne'), ['a@RegionOne'])
  assert.deepEqual(await names('resource_name__icontains=OLUM'), ['volumes@null'])
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => make({ resource_name: 'raced' })))).map((r) => r.status)
  assert.deepEqual([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 409).length], [1, 9])
})

test('a project\'s limit stands in place of the registered one, which is kept from changing under it', async () => {
  const { service, limit: registeredLimit } = await registered()
  const make = (...limits: object[]) => v3('POST', '/limits', { limits: limits.map((l) => ({ service_id: service.id, resource_name: 'volumes', resource_limit: 5, ...l })) })
  const reply = await make({ project_id: api.projectId, description: 'ours' }, { domain_id: 'default' })
  assert.equal(reply.status, 201)
  const [own, domains] = reply.body.limits
  assert.deepEqual(reply.body, { limits: [own, domains] }, 'no links beside them')
  assert.deepEqual(own, {
    id: own.id, project_id: api.projectId, domain_id: null, service_id: service.id, region_id: null, resource_name: 'volumes', resource_limit: 5, description: 'ours',
    links: { self: `${api.publicUrl}/identity/v3/limits/${own.id}` },
  })
  assert.deepEqual([domains.project_id, domains.domain_id], [null, 'default'])
  assert.equal((await make({ project_id: api.projectId })).status, 409)
  assert.equal((await make({ project_id: 'default' })).status, 409, 'a domain\'s id is a domain\'s limit')
  for (const bad of [{}, { project_id: api.projectId, domain_id: 'default' }, { project_id: 'nosuch' }, { domain_id: api.projectId }, { project_id: api.otherProjectId, service_id: 'nosuch' }, { project_id: api.otherProjectId, resource_limit: null }]) assert.equal((await make(bad)).status, 400, JSON.stringify(bad))
  for (const stray of [{ resource_name: 'unregistered' }, { region_id: 'RegionOne' }]) assert.equal((await make({ project_id: api.otherProjectId, ...stray })).status, 403, 'nobody registered that')
  for (const [method, body] of [['PATCH', { registered_limit: { default_limit: 3 } }], ['DELETE', undefined]] as const) {
    const refused = await v3(method, `/registered_limits/${registeredLimit.id}`, body)
    assert.deepEqual([refused.status, refused.body.error.message], [403, `Unable to update or delete registered limit ${registeredLimit.id} because there are project limits associated with it.`])
  }
  assert.deepEqual((await v3('PATCH', `/limits/${own.id}`, { limit: { resource_limit: 0, description: 'none' } })).body.limit, { ...own, resource_limit: 0, description: 'none' })
  assert.equal((await v3('PATCH', `/limits/${own.id}`, { limit: { project_id: api.otherProjectId } })).status, 400)
  assert.equal((await v3('DELETE', `/limits/${own.id}`)).status, 204)
  assert.equal((await v3('GET', `/limits/${own.id}`)).status, 404)
  assert.equal((await v3('DELETE', `/services/${service.id}`)).status, 204)
  for (const path of [`/limits/${domains.id}`, `/registered_limits/${registeredLimit.id}`]) assert.equal((await v3('GET', path)).status, 404, 'gone with the service')
})

test('one sees the limits of one\'s project or domain, administrators all', async () => {
  const { service } = await registered(), doomed = (await v3('POST', '/projects', { project: { name: 'doomed' } })).body.project
  const owners = [{ project_id: api.projectId }, { project_id: api.otherProjectId }, { domain_id: 'default' }, { project_id: doomed.id }]
  const made = (await v3('POST', '/limits', { limits: owners.map((o) => ({ service_id: service.id, resource_name: 'volumes', resource_limit: 1, ...o })) })).body.limits
  const seen = async (token: string, query = '') => (await v3('GET', `/limits?service_id=${service.id}&${query}`, undefined, token)).body.limits.map((l: any) => l.project_id ?? l.domain_id).sort()
  assert.deepEqual(await seen(api.adminToken), [api.projectId, api.otherProjectId, 'default', doomed.id].sort())
  assert.deepEqual(await seen(api.adminToken, 'domain_id=default'), ['default'])
  assert.deepEqual(await seen(api.adminToken, `project_id=${doomed.id}`), [doomed.id])
  assert.deepEqual(await seen(api.as('member')!), [api.projectId])
  assert.deepEqual(await seen(api.as('member')!, `project_id=${api.otherProjectId}`), [])
  const watcher = await api.inhabitant()
  assert.deepEqual(await seen(await watcher.token('unscoped')), [])
  await v3('PUT', `/domains/default/users/${watcher.id}/roles/${api.seeded.roleIds.reader}`)
  const domainToken = await watcher.token({ domain: { id: 'default' } })
  assert.equal((await seen(domainToken)).length, 4)
  for (const limit of made) assert.equal((await v3('GET', `/limits/${limit.id}`, undefined, domainToken)).status, 200)
  await v3('DELETE', `/projects/${doomed.id}`)
  assert.equal((await v3('GET', `/limits/${made[3].id}`)).status, 404, 'gone with its project')
  const cost = (path: string): Promise<number> => queriesOf(api.store, () => v3('GET', path))
  assert.equal(await cost('/limits'), await cost('/limits?limit=1'))
})

test('other services read what a project may have', async () => {
  const { service, limit } = await registered()
  await v3('POST', '/registered_limits', { registered_limits: [{ service_id: service.id, region_id: 'RegionOne', resource_name: 'volumes', default_limit: 77 }, { service_id: service.id, resource_name: 'backups', default_limit: -1 }] })
  await v3('POST', '/limits', { limits: [{ service_id: service.id, resource_name: limit.resource_name, project_id: api.projectId, resource_limit: 3 }] })
  const ctx = plainContext({ actor: { service: 'image', userId: '', roles: [] } })
  const of = async (project_id: string, query = {}, service_type = service.type) => (await api.client('identity').call(ctx, 'limitsOf', { params: { project_id, service_type }, query })).body.limits
  assert.deepEqual(await of(api.projectId), { volumes: 3, backups: -1 })
  assert.deepEqual(await of(api.otherProjectId), { volumes: 10, backups: -1 })
  assert.deepEqual(await of(api.otherProjectId, { region_id: 'RegionOne' }), { volumes: 77, backups: -1 })
  assert.deepEqual(await of(api.projectId, {}, 'nosuch'), {})
  assert.equal((await v3('GET', `/internal/projects/${api.projectId}/limits/image`)).status, 404, 'no user\'s business')
})

test('the model is told; flat lets projects have more than their domain', async () => {
  assert.equal((await v3('GET', '/limits/model', undefined, api.as('other'))).body.model.name, 'flat')
  assert.deepEqual((await strictV3('GET', '/limits/model')).body, { model: { name: 'strict_two_level', description: 'This model requires project hierarchy never exceeds a depth of two' } })
  const { service } = await registered()
  assert.equal((await v3('POST', '/limits', { limits: [{ service_id: service.id, resource_name: 'volumes', project_id: api.projectId, resource_limit: 1000 }] })).status, 201)
})

test('strict_two_level: no project has more than its domain, and the tree has two levels', async () => {
  const { service } = await registered(strictV3)
  const make = (...limits: object[]) => strictV3('POST', '/limits', { limits: limits.map((l) => ({ service_id: service.id, resource_name: 'volumes', ...l })) })
  const over = await make({ project_id: strict.projectId, resource_limit: 11 })
  assert.equal(over.status, 403, 'above the registered one')
  assert.match(over.body.error.message, /^Invalid resource limit: The resource limit \(project_id: \w+, resource_name: volumes, resource_limit: 11, service_id: \w+, region_id: null\) doesn't satisfy current hierarchy model\.$/)
  assert.equal((await make({ project_id: strict.projectId, resource_limit: -1 })).status, 403, 'no limit at all is above every other')
  assert.equal((await make({ domain_id: 'default', resource_limit: 20 }, { project_id: strict.projectId, resource_limit: 21 })).status, 403)
  const [domain, project] = (await make({ domain_id: 'default', resource_limit: 20 }, { project_id: strict.projectId, resource_limit: 15 })).body.limits
  const set = async (id: string, resource_limit: number) => (await strictV3('PATCH', `/limits/${id}`, { limit: { resource_limit } })).status
  assert.equal(await set(project.id, 21), 403)
  assert.equal(await set(domain.id, 14), 403)
  assert.equal(await set(domain.id, -1), 200)
  assert.equal(await set(project.id, 1000), 200)
  assert.equal(await set(project.id, 15), 200)
  // Whoever is first wins; both together would leave a project above its domain.
  assert.equal(await set(domain.id, 20), 200)
  const both = await Promise.all([set(domain.id, 16), set(project.id, 18)])
  assert.equal(both.filter((s) => s === 200).length >= 1, true)
  const [d, p] = await Promise.all([domain.id, project.id].map(async (id) => (await strictV3('GET', `/limits/${id}`)).body.limit.resource_limit))
  assert.ok(p <= d, `${p} of ${d}`)
  assert.equal((await strictV3('POST', '/projects', { project: { name: 'too-deep', parent_id: strict.projectId } })).status, 403)
})

test('a limit of nothing is a limit', () => {
  const registered = new Map([['r', { id: 'r', serviceId: 's', regionId: '', resourceName: 'x', defaultLimit: 5, description: null }]])
  const limit = (projectId: string, domainId: string, resourceLimit: number) => ({ id: projectId + domainId, registeredLimitId: 'r', projectId, domainId, resourceLimit, description: null })
  const zero = limit('', 'd', 0), one = limit('p', '', 1)
  assert.throws(() => checkTree([one], [one, zero], registered, () => 'd'))
  assert.throws(() => checkTree([zero], [one, zero], registered, () => 'd'))
  assert.doesNotThrow(() => checkTree([zero], [one, zero], registered, () => 'elsewhere'))
})

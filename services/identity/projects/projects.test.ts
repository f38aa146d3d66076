import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const make = async (project: object) => {
  const reply = await v3('POST', '/projects', { project })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body.project
}

test('a project\'s life, in keystone\'s shape', async () => {
  const project = await make({ name: 'house', description: 'd', tags: ['b', 'a'], colour: 'red' })
  assert.deepEqual(project, {
    id: project.id, name: 'house', domain_id: 'default', parent_id: 'default', is_domain: false, enabled: true, description: 'd', tags: ['b', 'a'], options: {}, colour: 'red',
    links: { self: `${api.publicUrl}/identity/v3/projects/${project.id}` },
  })
  const changed = (await v3('PATCH', `/projects/${project.id}`, { project: { name: 'house2', tags: ['c'], colour: 'blue' } })).body.project
  assert.deepEqual([changed.name, changed.tags, changed.colour, changed.description], ['house2', ['c'], 'blue', 'd'])
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { domain_id: 'other' } })).status, 400)
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { parent_id: api.projectId } })).status, 403)
  assert.equal((await v3('DELETE', `/projects/${project.id}`)).status, 204)
  assert.equal((await v3('GET', `/projects/${project.id}`)).status, 404)
  assert.equal((await v3('GET', '/projects/house2')).body.error.message, 'Could not find project: house2.', 'a name in the place of an id')
})

test('what makes no sense is refused, and names are unique in a domain', async () => {
  for (const project of [{}, { name: '' }, { name: 'x'.repeat(65) }, { name: 1 }, { name: 'x', tags: ['a,b'] }, { name: 'x', tags: ['a', 'a'] }, { name: 'x', tags: 'a' }, { name: 'x', enabled: 1 }, { name: 'x', parent_id: 'nosuch' },
    { name: 'x', domain_id: 'nosuch' }, { name: 'x', is_domain: true, domain_id: 'default' }]) assert.equal((await v3('POST', '/projects', { project })).status, 400, JSON.stringify(project))
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => v3('POST', '/projects', { project: { name: 'one-only' } })))).map((r) => r.status)
  assert.deepEqual([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 409).length], [1, 9])
  const other = await make({ name: 'another' })
  assert.equal((await v3('PATCH', `/projects/${other.id}`, { project: { name: 'one-only' } })).status, 409)
})

test('projects stand in a tree', async () => {
  const top = await make({ name: 'top' }), middle = await make({ name: 'middle', parent_id: top.id }), leaf = await make({ name: 'leaf', parent_id: middle.id })
  assert.equal(leaf.domain_id, 'default')
  const shown = async (id: string, query: string) => (await v3('GET', `/projects/${id}?${query}`)).body.project
  assert.deepEqual((await shown(leaf.id, 'parents_as_ids')).parents, { [middle.id]: { [top.id]: { default: null } } }, 'the domain is the root')
  assert.deepEqual([(await shown(top.id, 'parents_as_ids')).parents, (await shown('default', 'parents_as_ids')).parents], [{ default: null }, null])
  assert.deepEqual((await shown(top.id, 'subtree_as_ids')).subtree, { [middle.id]: { [leaf.id]: null } })
  assert.equal((await v3('GET', `/projects/${leaf.id}?parents_as_list&parents_as_ids`)).status, 400)
  assert.equal((await v3('DELETE', `/projects/${middle.id}`)).status, 403, 'not a leaf')
  assert.equal((await v3('PATCH', `/projects/${top.id}`, { project: { enabled: false } })).status, 403, 'enabled ones below')
  for (const id of [leaf.id, middle.id, top.id]) assert.equal((await v3('PATCH', `/projects/${id}`, { project: { enabled: false } })).status, 200)
  assert.equal((await v3('PATCH', `/projects/${leaf.id}`, { project: { enabled: true } })).status, 403, 'disabled ones above')
  assert.equal((await v3('POST', '/projects', { project: { name: 'under', parent_id: top.id } })).status, 400)
  let parent = (await make({ name: 'depth-0' })).id
  for (let i = 1; i < 4; i++) parent = (await make({ name: `depth-${i}`, parent_id: parent })).id
  assert.equal((await v3('POST', '/projects', { project: { name: 'too-deep', parent_id: parent } })).status, 403)
})

test('above and below a project each sees what he has a role in, with its limits if he likes', async () => {
  const someone = await api.inhabitant('reader'), token = await someone.token()
  const top = await make({ name: 'seen-top' }), hidden = await make({ name: 'hidden', parent_id: top.id }), leaf = await make({ name: 'seen-leaf', parent_id: hidden.id })
  for (const project_id of [top.id, leaf.id]) await api.admin('createProjectUserGrant', { params: { ...someone.grant.params, project_id } })
  const { id: service_id } = (await v3('GET', '/services?type=identity')).body.services[0]
  await v3('POST', '/registered_limits', { registered_limits: [{ service_id, resource_name: 'seats', default_limit: 9 }] })
  await v3('POST', '/limits', { limits: [top, hidden].map(({ id }) => ({ project_id: id, service_id, resource_name: 'seats', resource_limit: 4 })) })
  const inLeaf = await someone.token({ project: { id: leaf.id } }), inTop = await someone.token({ project: { id: top.id } })
  const shown = async (id: string, query: string, as: string) => (await v3('GET', `/projects/${id}?${query}`, undefined, as)).body.project
  assert.deepEqual((await shown(leaf.id, 'parents_as_list', inLeaf)).parents, [{ project: top }])
  assert.deepEqual((await shown(top.id, 'subtree_as_list', inTop)).subtree, [{ project: leaf }])
  assert.deepEqual((await shown(leaf.id, 'parents_as_list', api.adminToken)).parents, [], 'an administrator has no role there either')
  const [{ project }] = (await shown(leaf.id, 'parents_as_list&include_limits', inLeaf)).parents
  assert.deepEqual([project.limits.length, project.limits[0].project_id, project.limits[0].resource_limit], [1, top.id, 4])
  assert.deepEqual((await shown(top.id, 'subtree_as_list&include_limits', inTop)).subtree[0].project.limits, [])
  const alone = await shown(top.id, 'include_limits', inTop)
  assert.deepEqual([alone.limits, alone.subtree], [undefined, undefined], 'on its own it says nothing')
  assert.equal((await v3('GET', `/projects/${hidden.id}`, undefined, token)).status, 404)
})

test('an immutable project keeps its tags', async () => {
  const { id } = await make({ name: 'stone-tagged', tags: ['kept'], options: { immutable: true } })
  for (const [method, path, body] of [['PUT', '/new'], ['DELETE', '/kept'], ['DELETE', ''], ['PUT', '', { tags: [] }]] as const) {
    const reply = await v3(method, `/projects/${id}/tags${path}`, body)
    assert.deepEqual([reply.status, reply.body.error.message], [403, `Cannot update immutable project ${id}. Unset the immutable option first.`])
  }
  assert.deepEqual((await v3('GET', `/projects/${id}/tags`)).body.tags, ['kept'])
})

test('a bare is_domain asks for domains', async () => {
  const names = async (query: string): Promise<string[]> => (await v3('GET', `/projects?${query}`)).body.projects.map((p: any) => p.name)
  assert.ok((await names('is_domain')).includes('Default'))
  assert.deepEqual(await names('is_domain'), await names('is_domain=true'))
  assert.equal((await names('is_domain=0')).includes('Default'), false)
})

test('a tag is added once', async () => {
  const { id } = await make({ name: 'once-tagged' })
  assert.deepEqual([(await v3('PUT', `/projects/${id}/tags/x`)).status, (await v3('PUT', `/projects/${id}/tags/x`)).status], [201, 400])
  assert.deepEqual((await v3('GET', `/projects/${id}/tags`)).body.tags, ['x'])
})

test('lists by tags', async () => {
  await make({ name: 't1', tags: ['red', 'big'] })
  await make({ name: 't2', tags: ['red'] })
  const names = async (query: string): Promise<string[]> => (await v3('GET', `/projects?${query}`)).body.projects.map((p: any) => p.name).sort()
  assert.deepEqual(await names('tags=red'), ['t1', 't2'])
  assert.deepEqual(await names('tags=red,big'), ['t1'])
  assert.deepEqual(await names('tags-any=big,none'), ['t1'])
  assert.ok(!(await names('not-tags=red,big')).includes('t1') && (await names('not-tags=red,big')).includes('t2'))
  assert.ok(!(await names('not-tags-any=red')).includes('t2'))
  assert.deepEqual((await names('is_domain=true')), ['Default'])
})

test('what is immutable stays until it is unlocked', async () => {
  const project = await make({ name: 'stone', options: { immutable: true } })
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { name: 'x' } })).status, 403)
  assert.equal((await v3('DELETE', `/projects/${project.id}`)).status, 403)
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { options: { immutable: true } } })).status, 403)
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { options: {} } })).status, 403)
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { options: { colour: 'red' } } })).status, 400, 'no option of ours')
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { options: { immutable: false } } })).status, 200)
  await v3('PATCH', `/projects/${project.id}`, { project: { options: { immutable: true } } })
  assert.deepEqual((await v3('PATCH', `/projects/${project.id}`, { project: { options: { immutable: null } } })).body.project.options, {}, 'null takes the option away')
  assert.equal((await v3('DELETE', `/projects/${project.id}`)).status, 204)
})

test('another project does not exist, however one asks', async () => {
  const member = api.as('member')!
  for (const path of [`/projects/${api.otherProjectId}`, `/projects/${'f'.repeat(32)}`, `/projects/${api.otherProjectId}/tags`]) assert.equal((await v3('GET', path, undefined, member)).status, 404, path)
  assert.equal((await v3('GET', `/projects/${api.projectId}`, undefined, member)).status, 200)
})

test('a project may act as a domain', async () => {
  const project = await make({ name: 'realm', is_domain: true, domain_id: null })
  assert.deepEqual([project.is_domain, project.domain_id, project.parent_id], [true, null, null])
  assert.equal((await v3('GET', `/domains/${project.id}`)).body.domain.name, 'realm')
  assert.equal((await v3('DELETE', `/projects/${project.id}`)).status, 403, 'enabled')
  assert.equal((await v3('PATCH', `/projects/${project.id}`, { project: { enabled: false } })).status, 200)
  const below = await make({ name: 'below-default' })
  assert.equal((await v3('DELETE', '/projects/default')).status, 403)
  assert.equal((await v3('DELETE', `/projects/${below.id}`)).status, 204)
  assert.equal((await v3('DELETE', `/projects/${project.id}`)).status, 204)
})

test('a domain\'s manager makes projects in his domain alone, below whatever parent he names', async () => {
  const domain = (await v3('POST', '/domains', { domain: { name: 'his' } })).body.domain, foreign = (await v3('POST', '/domains', { domain: { name: 'not-his' } })).body.domain
  const top = await make({ name: 'top', domain_id: foreign.id })
  const user = (await v3('POST', '/users', { user: { name: 'steward', domain_id: domain.id, password: 'steward' } })).body.user
  assert.equal((await v3('PUT', `/domains/${domain.id}/users/${user.id}/roles/${api.seeded.roleIds.manager}`)).status, 204)
  const token = await api.token({ id: user.id, password: 'steward' }, { domain: { id: domain.id } })
  const made = await v3('POST', '/projects', { project: { name: 'mine' } }, token)
  assert.equal(made.status, 201)
  assert.equal((await v3('POST', '/projects', { project: { name: 'below', parent_id: made.body.project.id } }, token)).body.project.domain_id, domain.id)
  for (const parent_id of [top.id, foreign.id, 'default']) assert.equal((await v3('POST', '/projects', { project: { name: 'intruder', parent_id } }, token)).status, 403, parent_id)
  assert.deepEqual((await v3('GET', `/projects?domain_id=${foreign.id}`)).body.projects.map((p: any) => p.name), ['top'])
})

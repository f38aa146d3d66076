import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity() })
after(() => api.close())
const v3 = (method: string, path: string, body?: unknown, token = api.adminToken) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })

test('a domain\'s life: disabled before it is deleted, with everything in it', async () => {
  const { domain } = (await v3('POST', '/domains', { domain: { name: 'acme', description: 'd' } })).body
  assert.deepEqual(domain, { id: domain.id, name: 'acme', description: 'd', enabled: true, tags: [], options: {}, links: { self: `${api.publicUrl}/identity/v3/domains/${domain.id}` } })
  assert.equal((await v3('POST', '/domains', { domain: { name: 'acme' } })).status, 409)
  assert.equal((await v3('POST', '/domains', { domain: { name: 'x', explicit_domain_id: 'nope' } })).status, 400)
  assert.equal((await v3('POST', '/domains', { domain: { name: 'x', explicit_domain_id: domain.id } })).status, 409)
  assert.equal((await v3('GET', `/domains/${api.projectId}`)).status, 404, 'a project is no domain')
  const user = (await v3('POST', '/users', { user: { name: 'u', domain_id: domain.id } })).body.user
  const project = (await v3('POST', '/projects', { project: { name: 'p', domain_id: domain.id } })).body.project
  const role = (await v3('POST', '/roles', { role: { name: 'r', domain_id: domain.id } })).body.role
  assert.equal((await v3('PUT', `/projects/${project.id}/users/${user.id}/roles/${role.id}`)).status, 204)
  assert.equal((await v3('PUT', `/projects/${api.projectId}/users/${user.id}/roles/${role.id}`)).status, 403, 'a role of another domain')
  assert.equal((await v3('DELETE', `/domains/${domain.id}`)).status, 403)
  assert.equal((await v3('PATCH', `/domains/${domain.id}`, { domain: { enabled: false } })).status, 200)
  assert.equal((await v3('DELETE', `/domains/${domain.id}`)).status, 204)
  for (const path of [`/domains/${domain.id}`, `/users/${user.id}`, `/projects/${project.id}`, `/roles/${role.id}`]) assert.equal((await v3('GET', path)).status, 404, path)
})

test('a domain\'s manager manages that domain and nothing else', async () => {
  const { domain } = (await v3('POST', '/domains', { domain: { name: 'managed' } })).body
  const boss = (await v3('POST', '/users', { user: { name: 'boss', domain_id: domain.id, password: 'pw' } })).body.user
  assert.equal((await v3('PUT', `/domains/${domain.id}/users/${boss.id}/roles/${api.seeded.roleIds.manager}`)).status, 204)
  const token = await api.token({ id: boss.id, password: 'pw' }, { domain: { id: domain.id } })
  const as = (method: string, path: string, body?: unknown) => v3(method, path, body, token)
  const user = (await as('POST', '/users', { user: { name: 'worker' } })).body.user
  assert.equal(user.domain_id, domain.id, 'the token\'s domain is the default')
  const project = (await as('POST', '/projects', { project: { name: 'work' } })).body.project
  assert.equal(project.domain_id, domain.id)
  assert.equal((await as('POST', '/users', { user: { name: 'x', domain_id: 'default' } })).status, 403)
  assert.equal((await as('POST', '/projects', { project: { name: 'x', domain_id: 'default' } })).status, 403)
  assert.equal((await as('PATCH', `/users/${api.userId('member')}`, { user: { enabled: false } })).status, 404)
  assert.equal((await as('PATCH', `/users/${user.id}`, { user: { description: 'd' } })).status, 200)
  assert.deepEqual((await as('GET', '/users')).body.users.map((u: any) => u.name).sort(), ['boss', 'worker'])
  assert.deepEqual((await as('GET', '/users?domain_id=default')).body.users, [])
  assert.deepEqual((await as('GET', '/projects')).body.projects.map((p: any) => p.name), ['work'])
  assert.deepEqual((await as('GET', '/domains')).body.domains.map((d: any) => d.name), ['managed'])
  assert.equal((await as('GET', '/domains/default')).status, 404)
  const give = (role: string, projectId: string, userId: string) => as('PUT', `/projects/${projectId}/users/${userId}/roles/${api.seeded.roleIds[role]}`)
  assert.equal((await give('member', project.id, user.id)).status, 204)
  assert.equal((await give('admin', project.id, user.id)).status, 403, 'not above himself')
  assert.equal((await give('member', api.projectId, user.id)).status, 403)
  assert.equal((await give('member', project.id, api.userId('member'))).status, 403)
  assert.deepEqual((await as('GET', '/role_assignments')).body.role_assignments.map((a: any) => Object.keys(a.scope)[0]).sort(), ['domain', 'project'])
  assert.equal((await as('GET', `/roles/${api.seeded.roleIds.member}`)).status, 200)
  assert.equal((await as('GET', `/roles/${api.seeded.roleIds.admin}`)).status, 404)
  assert.equal((await as('POST', '/domains', { domain: { name: 'x' } })).status, 403)
  const group = (await as('POST', '/groups', { group: { name: 'crew' } })).body.group
  assert.equal((await as('PUT', `/groups/${group.id}/users/${user.id}`)).status, 204)
  assert.equal((await as('PUT', `/groups/${group.id}/users/${api.userId('member')}`)).status, 404)
  assert.equal((await as('PATCH', `/projects/${domain.id}`, { project: { enabled: false } })).status, 404, 'not by the projects\' door either')
  assert.equal((await as('GET', '/services')).status, 403)
})

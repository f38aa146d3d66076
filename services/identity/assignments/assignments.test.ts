import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queriesOf } from '#kit/testing/queries.ts'
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

test('a grant is given, seen, listed, taken; twice is once', async () => {
  const role = api.seeded.roleIds.service!, path = `/projects/${api.projectId}/users/${api.userId('member')}/roles`
  assert.equal((await v3('HEAD', `${path}/${role}`)).status, 404)
  for (let i = 0; i < 2; i++) assert.equal((await v3('PUT', `${path}/${role}`)).status, 204)
  assert.equal((await v3('HEAD', `${path}/${role}`)).status, 204)
  assert.equal((await v3('GET', `${path}/${role}`)).status, 204)
  const list = await ok('GET', path)
  assert.deepEqual(list.roles.map((r: any) => r.name).sort(), ['member', 'service'])
  assert.equal(list.links.self, `${api.publicUrl}/identity/v3${path}`)
  assert.equal((await v3('DELETE', `${path}/${role}`)).status, 204)
  assert.equal((await v3('DELETE', `${path}/${role}`)).status, 404)
  for (const bad of [`/projects/nosuch/users/${api.userId('member')}/roles/${role}`, `/projects/${api.projectId}/users/nosuch/roles/${role}`, `${path}/nosuch`, `/domains/${api.projectId}/users/${api.userId('member')}/roles/${role}`]) {
    assert.equal((await v3('PUT', bad)).status, 404, bad)
  }
})

test('a domain\'s role is given on its projects and on any domain, not on others\' projects nor on the system', async () => {
  const made = async (name: string): Promise<string> => (await ok('POST', '/domains', { domain: { name } })).domain.id
  const own = await made('owns-a-role'), other = await made('owns-none'), user = `/users/${api.userId('member')}/roles`
  const role = (await ok('POST', '/roles', { role: { name: 'of-a-domain', domain_id: own } })).role.id
  const project = async (domain_id: string): Promise<string> => (await ok('POST', '/projects', { project: { name: 'of-a-domain', domain_id } })).project.id
  const places = [[`/projects/${await project(own)}`, 204], [`/domains/${own}`, 204], [`/domains/${other}`, 204], [`/projects/${await project(other)}`, 403], ['/system', 400]] as const
  for (const [place, status] of places) assert.equal((await v3('PUT', `${place}${user}/${role}`)).status, status, place)
  assert.deepEqual((await ok('GET', `/domains/${other}${user}`)).roles.map((r: any) => r.name), ['of-a-domain'])
})

test('who is asked about by name has what groups give him for a while', async () => {
  const group = (await ok('POST', '/groups', { group: { name: 'guests' } })).group, user = (await ok('POST', '/users', { user: { name: 'guest' } })).user
  await ok('PUT', `/projects/${api.projectId}/groups/${group.id}/roles/${api.seeded.roleIds.member}`)
  const until = async (expiresAtSeconds: number): Promise<void> => {
    await api.deps.store.tx(async (tx) => {
      await tx.db.deleteFrom('identityExpiringMemberships').where('userId', '=', user.id).execute()
      await tx.db.insertInto('identityExpiringMemberships').values({ userId: user.id, groupId: group.id, idpId: 'acme', expiresAtSeconds }).execute()
    })
  }
  const roles = async (): Promise<string[]> => (await ok('GET', `/role_assignments?user.id=${user.id}&effective&include_names`)).role_assignments.map((a: any) => a.role.name).sort()
  await until(4_000_000_000)
  assert.deepEqual(await roles(), ['member', 'reader'])
  await until(1)
  assert.deepEqual(await roles(), [])
})

test('assignments are listed as they are, with names, and as what they come to', async () => {
  const group = (await ok('POST', '/groups', { group: { name: 'team' } })).group
  const user = (await ok('POST', '/users', { user: { name: 'player' } })).user
  const parent = (await ok('POST', '/projects', { project: { name: 'league' } })).project, child = (await ok('POST', '/projects', { project: { name: 'club', parent_id: parent.id } })).project
  await ok('PUT', `/groups/${group.id}/users/${user.id}`)
  await ok('PUT', `/projects/${parent.id}/groups/${group.id}/roles/${api.seeded.roleIds.member}`)
  await ok('PUT', `/OS-INHERIT/projects/${parent.id}/users/${user.id}/roles/${api.seeded.roleIds.service}/inherited_to_projects`)
  const base = `${api.publicUrl}/identity/v3`
  const plain = (await ok('GET', `/role_assignments?scope.project.id=${parent.id}`)).role_assignments
  assert.deepEqual(plain.find((a: any) => a.group), {
    role: { id: api.seeded.roleIds.member }, scope: { project: { id: parent.id } }, group: { id: group.id }, links: { assignment: `${base}/projects/${parent.id}/groups/${group.id}/roles/${api.seeded.roleIds.member}` },
  })
  assert.deepEqual(plain.find((a: any) => a.user), {
    role: { id: api.seeded.roleIds.service }, scope: { project: { id: parent.id }, 'OS-INHERIT:inherited_to': 'projects' }, user: { id: user.id },
    links: { assignment: `${base}/OS-INHERIT/projects/${parent.id}/users/${user.id}/roles/${api.seeded.roleIds.service}/inherited_to_projects` },
  })
  const effective = (await ok('GET', `/role_assignments?user.id=${user.id}&effective&include_names=true`)).role_assignments
  const seen = effective.map((a: any) => `${a.role.name} on ${a.scope.project.name}@${a.scope.project.domain.name} of ${a.user.name}@${a.user.domain.name}`).sort()
  assert.deepEqual(seen, ['member on league@Default of player@Default', 'reader on league@Default of player@Default', 'service on club@Default of player@Default'])
  const reader = effective.find((a: any) => a.role.name === 'reader')
  assert.equal(reader.links.membership, `${base}/groups/${group.id}/users/${user.id}`)
  assert.equal(reader.links.prior_role, `${base}/prior_role/${api.seeded.roleIds.member}/implies/${api.seeded.roleIds.reader}`)
  const names = async (query: string): Promise<number> => (await ok('GET', `/role_assignments?${query}`)).role_assignments.length
  assert.equal(await names(`scope.project.id=${child.id}&effective`), 1)
  assert.equal(await names(`scope.project.id=${child.id}`), 0)
  assert.equal(await names(`scope.project.id=${parent.id}&include_subtree`), 2)
  assert.equal(await names(`role.id=${api.seeded.roleIds.reader}&user.id=${user.id}&effective=1`), 1)
  assert.equal(await names(`role.id=${api.seeded.roleIds.reader}&user.id=${user.id}&effective=0`), 0)
  assert.equal(await names(`group.id=${group.id}`), 1)
  assert.equal(await names('scope.system=all'), 1)
  assert.equal(await names(`scope.OS-INHERIT:inherited_to=projects&user.id=${user.id}`), 1)
  const system = (await ok('GET', '/role_assignments?scope.system=all&include_names')).role_assignments[0]
  assert.deepEqual([system.scope, system.links.assignment], [{ system: { all: true } }, `${base}/system/users/${api.seeded.adminUserId}/roles/${api.seeded.roleIds.admin}`])
})

test('questions that cannot be answered are refused', async () => {
  for (const query of ['user.id=a&group.id=b', 'scope.project.id=a&scope.domain.id=b', 'scope.system=all&scope.project.id=a', 'scope.system=all&scope.domain.id=a', 'effective&group.id=a', 'include_subtree',
    'effective&scope.OS-INHERIT:inherited_to=projects&scope.domain.id=a']) assert.equal((await v3('GET', `/role_assignments?${query}`)).status, 400, query)
})

test('a tree is asked about by a project that is there for who asks', async () => {
  const domain = (await ok('POST', '/domains', { domain: { name: 'estate' } })).domain, reader = (await ok('POST', '/users', { user: { name: 'estate-reader', password: 'the-password', domain_id: domain.id } })).user
  const park = (await ok('POST', '/projects', { project: { name: 'park', domain_id: domain.id } })).project, pond = (await ok('POST', '/projects', { project: { name: 'pond', domain_id: domain.id, parent_id: park.id } })).project
  await ok('PUT', `/projects/${pond.id}/users/${reader.id}/roles/${api.seeded.roleIds.member}`)
  for (const role of ['reader', 'admin']) {
    await ok('PUT', `/domains/${domain.id}/users/${reader.id}/roles/${api.seeded.roleIds[role]}`)
    const token = await api.token({ id: reader.id, password: 'the-password' }, { domain: { id: domain.id } }), tree = (id: string) => v3('GET', `/role_assignments?scope.project.id=${id}&include_subtree`, undefined, token)
    assert.deepEqual((await tree(park.id)).body.role_assignments.map((a: any) => a.scope.project.id), [pond.id])
    assert.equal((await tree('nosuch')).status, 404)
    assert.equal((await tree(api.projectId)).status, role === 'admin' ? 200 : 404, 'readers see what is in their domain')
  }
  assert.equal((await v3('GET', '/role_assignments?scope.project.id=nosuch&include_subtree')).status, 404)
  assert.deepEqual((await ok('GET', '/role_assignments?scope.project.id=nosuch')).role_assignments, [], 'a filter finds nothing')
})

test('a list costs the same number of queries however long it is', async () => {
  const cost = (): Promise<number> => queriesOf(api.store, () => ok('GET', '/role_assignments?effective&include_names'))
  const before = await cost()
  for (let i = 0; i < 20; i++) {
    const user = (await ok('POST', '/users', { user: { name: `q${i}` } })).user
    await ok('PUT', `/projects/${api.projectId}/users/${user.id}/roles/${api.seeded.roleIds.admin}`)
  }
  assert.equal(await cost(), before)
})

test('seeded roles cannot be changed by accident; nothing implies admin', async () => {
  const { admin, member, reader } = api.seeded.roleIds
  assert.equal((await v3('DELETE', `/roles/${member}`)).status, 403)
  assert.equal((await v3('PATCH', `/roles/${member}`, { role: { name: 'x' } })).status, 403)
  assert.equal((await v3('PUT', `/roles/${reader}/implies/${admin}`)).status, 403)
  assert.equal((await v3('POST', '/roles', { role: { name: 'member' } })).status, 409)
  const made = (await ok('POST', '/roles', { role: { name: 'auditor' } })).role
  assert.deepEqual(made, { id: made.id, name: 'auditor', domain_id: null, description: null, options: {}, links: { self: `${api.publicUrl}/identity/v3/roles/${made.id}` } })
  const inference = await v3('PUT', `/roles/${made.id}/implies/${reader}`)
  assert.deepEqual([inference.status, inference.body.role_inference.prior_role.name, inference.body.role_inference.implies.name], [201, 'auditor', 'reader'])
  assert.equal((await v3('HEAD', `/roles/${made.id}/implies/${reader}`)).status, 204)
  assert.deepEqual((await ok('GET', `/roles/${made.id}/implies`)).role_inference.implies.map((r: any) => r.name), ['reader'])
  assert.equal((await ok('GET', '/role_inferences')).role_inferences.length, 4)
  assert.equal((await v3('DELETE', `/roles/${made.id}/implies/${reader}`)).status, 204)
  assert.equal((await v3('GET', `/roles/${made.id}/implies/${reader}`)).status, 404)
})

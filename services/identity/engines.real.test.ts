// Every operation once, and the races, on the SQL servers: what SQLite forgives they do not.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { parseStoreUrl } from '#kit/store/store.ts'
import { startMariadb } from '#test/servers/mariadb.ts'
import { startPostgres, type SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { cheap } from './passwords/hasher.ts'
import { seed } from './seed.ts'
import { identity } from './service.ts'
import { startIdentity, type IdentityApi } from './testing.ts'

const access = await identity.access()

for (const [name, start] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]] as const) {
  describe(`identity on ${name}`, () => {
    let api: IdentityApi, server: SqlServer
    const place = scratch(`identity-${name.toLowerCase()}`)
    before(async () => {
      server = await start(place.dir)
      api = await startIdentity({ scoped: true, database: parseStoreUrl(await server.database()) })
    })
    after(async () => { await api.close(); await server.stop(); place.remove() })
    const v3 = (method: string, path: string, body?: unknown) => api.http(method, `/identity/v3${path}`, { token: api.adminToken, ...(body !== undefined && { body }) })

    runAccess(identity.http, access, () => ({
      api, token: api.as, world: worldOf(api, { token: api.as, userId: api.userId, projectId: api.projectId, otherProjectId: api.otherProjectId, otherDomainId: api.otherDomainId }),
    }))

    test('lists with every filter', async () => {
      for (const path of ['/users?name__icontains=X&name__startswith=a&enabled=1&password_expires_at=gt:2030-01-01T00:00:00Z', '/groups?name__iendswith=x', '/limits?service_id=x&resource_name__contains=y', '/registered_limits?region_id=x', '/policies?type=x', '/OS-EP-FILTER/endpoint_groups?name__contains=x', '/projects?tags=a,b&tags-any=c&not-tags=d&not-tags-any=e&name=x&enabled=true&parent_id=default&limit=3', '/users?name=x&enabled=false&domain_id=default&password_expires_at=lt:2030-01-01T00:00:00Z&limit=1',
        '/groups?name=x', '/roles?domain_id=default', '/services?type=x&name=y', '/endpoints?interface=public&service_id=x&region_id=y', '/regions?parent_region_id=x', '/domains?enabled=1&name=x',
        `/role_assignments?effective&include_names&user.id=${api.userId('member')}`, `/role_assignments?scope.project.id=${api.projectId}&include_subtree&effective`, `/projects/${api.projectId}?parents_as_list&subtree_as_ids`]) {
        assert.equal((await v3('GET', path)).status, 200, path)
      }
    })

    test('of many who take one name at once, one gets it; of many changes none is lost', async () => {
      const statuses = (await Promise.all(Array.from({ length: 20 }, () => v3('POST', '/users', { user: { name: 'wanted' } })))).map((r) => r.status)
      assert.deepEqual([statuses.filter((s) => s === 201).length, statuses.filter((s) => s === 409).length], [1, 19])
      assert.equal((await v3('PATCH', `/users/${api.userId('other')}`, { user: { name: 'wanted' } })).status, 409)
      const id = api.userId('manager')
      const replies = await Promise.all(Array.from({ length: 10 }, (_x, i) => v3('PATCH', `/users/${id}`, { user: { [`attribute${i}`]: i } })))
      assert.deepEqual([...new Set(replies.map((r) => r.status))].filter((s) => s !== 200 && s !== 409), [])
      const kept = (await v3('GET', `/users/${id}`)).body.user
      replies.forEach((reply, i) => assert.equal(kept[`attribute${i}`], reply.status === 200 ? i : undefined))
    })

    test('limits: one of many is registered, one of many given, and none is left above its domain\'s', async () => {
      const { service } = (await v3('POST', '/services', { service: { type: 'limited' } })).body, subject = { service_id: service.id, resource_name: 'things' }
      const of = (statuses: number[]): number[] => [201, 409].map((s) => statuses.filter((other) => other === s).length)
      const times = async (n: number, call: () => Promise<{ status: number }>) => (await Promise.all(Array.from({ length: n }, call))).map((r) => r.status)
      assert.deepEqual(of(await times(10, () => v3('POST', '/registered_limits', { registered_limits: [{ ...subject, default_limit: 10 }] }))), [1, 9])
      api.deps.config.enforcementModel = 'strict_two_level'
      const projectDomain = (await v3('GET', `/projects/${api.projectId}`)).body.project.domain_id
      assert.deepEqual(of(await times(10, () => v3('POST', '/limits', { limits: [{ ...subject, domain_id: projectDomain, resource_limit: 20 }, { ...subject, project_id: api.projectId, resource_limit: 5 }] }))), [1, 9])
      const [domain, project] = (await v3('GET', `/limits?service_id=${service.id}`)).body.limits.sort((a: any) => (a.domain_id ? -1 : 1))
      const set = (id: string, resource_limit: number) => v3('PATCH', `/limits/${id}`, { limit: { resource_limit } })
      for (let round = 0; round < 5; round++) {
        await set(domain.id, 20)
        await set(project.id, 5)
        await Promise.all([set(domain.id, 10), set(project.id, 15), set(domain.id, 12), set(project.id, 11)])
        const [d, p] = await Promise.all([domain.id, project.id].map(async (id) => Number((await v3('GET', `/limits/${id}`)).body.limit.resource_limit)))
        assert.ok(p! <= d!, `${p} of ${d}`)
      }
      api.deps.config.enforcementModel = 'flat'
      const registered = (await v3('GET', `/registered_limits?service_id=${service.id}`)).body.registered_limits[0]
      const deletion = v3('DELETE', `/registered_limits/${registered.id}`), raced = v3('POST', '/limits', { limits: [{ ...subject, project_id: api.otherProjectId, resource_limit: 1 }] })
      assert.equal((await deletion).status, 403)
      assert.equal((await raced).status, 201)
    })

    test('failures to log in are counted one by one', async () => {
      api.deps.config.security = { lockoutFailureAttempts: 4, lockoutDurationSeconds: 600 }
      const { user } = (await v3('POST', '/users', { user: { name: 'guessed', password: 'right' } })).body
      const logIn = (password: string) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user: { id: user.id, password } } } } } })
      await Promise.all(Array.from({ length: 3 }, () => logIn('wrong')))
      assert.equal((await logIn('right')).status, 201)
      await Promise.all(Array.from({ length: 4 }, () => logIn('wrong')))
      assert.equal((await logIn('right')).status, 401)
      api.deps.config.security = {}
    })

    test('two seeds at once are one', async () => {
      const again = () => seed(api.store, { passwords: { admin: 'x', demo: 'y' }, passwordCost: cheap, endpoints: [{ type: 'identity', name: 'keystone', url: `${api.publicUrl}/identity` }] })
      assert.deepEqual(await Promise.all([again(), again()]), [api.seeded, api.seeded])
    })

    test('names differ by case, and hold what Unicode holds', async () => {
      assert.equal((await v3('POST', '/users', { user: { name: 'Wanted' } })).status, 201)
      const made = await v3('POST', '/users', { user: { name: 'Zoë 🦊', note: '𝒳'.repeat(1000) } })
      assert.equal(made.status, 201)
      assert.deepEqual((await v3('GET', `/users?name=${encodeURIComponent('Zoë 🦊')}`)).body.users.map((u: any) => [u.id, u.note.length]), [[made.body.user.id, 2000]])
      assert.equal((await v3('GET', '/users?name=admin%20')).body.users.length, 0, 'no padding')
    })
  })
}

// Every operation once, and the races, on the SQL servers: what SQLite forgives they do not.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { parseStoreUrl } from '#kit/store/store.ts'
import { startMariadb } from '#test/servers/mariadb.ts'
import { startPostgres, type SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { rotateCredentialKeys } from './credentials/keys-store.ts'
import { longestSealSeconds } from './deps.ts'
import { cheap } from './passwords/hasher.ts'
import { createLimiter } from './passwords/limiter.ts'
import { seed } from './seed.ts'
import { identity } from './service.ts'
import { rotateKeys } from './tokens/keys-store.ts'
import { passcode, stepAt } from './tokens/totp.ts'
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
      for (const path of ['/users?name__icontains=X&name__startswith=a&enabled=1&password_expires_at=gt:2030-01-01T00:00:00Z', '/users?idp_id=x&protocol_id=y&unique_id__contains=z&name=a', '/groups?name__iendswith=x', '/limits?service_id=x&resource_name__contains=y', '/registered_limits?region_id=x', '/policies?type=x', '/OS-EP-FILTER/endpoint_groups?name__contains=x', '/projects?tags=a,b&tags-any=c&not-tags=d&not-tags-any=e&name=x&enabled=true&parent_id=default&limit=3', '/users?name=x&enabled=false&domain_id=default&password_expires_at=lt:2030-01-01T00:00:00Z&limit=1',
        '/groups?name=x', '/roles?domain_id=default', '/services?type=x&name=y', '/endpoints?interface=public&service_id=x&region_id=y', '/regions?parent_region_id=x', '/domains?enabled=1&name=x',
        `/role_assignments?effective&include_names&user.id=${api.userId('member')}`, `/role_assignments?scope.project.id=${api.projectId}&include_subtree&effective`, `/projects/${api.projectId}?parents_as_list&subtree_as_ids`, `/projects/${api.projectId}?subtree_as_list&include_limits`]) {
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

    test('failures at once on two control planes fill one bucket, and no more than it holds', async () => {
      const setup = { pair: { burst: 5, everySeconds: 1000 }, clock: () => 1_000_000_000 }, planes = [createLimiter(api.deps.store, setup), createLimiter(api.deps.store, setup)]
      await Promise.all([0, 1, 0, 1].map((n) => planes[n]!.failed('raced', '192.0.2.1')))
      await planes[0]!.check('raced', '192.0.2.1')
      await Promise.all(Array.from({ length: 10 }, (_x, n) => planes[n % 2]!.failed('raced', '192.0.2.1')))
      for (const plane of planes) await assert.rejects(plane.check('raced', '192.0.2.1'), (e: any) => e.headers['retry-after'] === '1000')
      await planes[1]!.succeeded('raced', '192.0.2.1')
      await planes[0]!.check('raced', '192.0.2.1')
    })

    test('lent rights: chains, last uses, rules and passcodes', async () => {
      const [a, b, c] = [await api.inhabitant(), await api.inhabitant(), await api.inhabitant()]
      const as = (token: string, method: string, path: string, body?: unknown) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
      const lend = async (token: string, to: { id: string }, more: object): Promise<string> => {
        const reply = await as(token, 'POST', '/OS-TRUST/trusts', { trust: { trustor_user_id: a.id, trustee_user_id: to.id, project_id: a.projectId, impersonation: true, roles: [{ name: 'member' }], ...more } })
        assert.equal(reply.status, 201, JSON.stringify(reply.body))
        return reply.body.trust.id
      }
      const use = (who: { id: string, password: string }, id: string) =>
        api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user: { id: who.id, password: who.password } } }, scope: { 'OS-TRUST:trust': { id } } } } })
      const works = async (token: string): Promise<boolean> => (await as(token, 'GET', '/auth/projects')).status === 200
      const thrice = await lend(await a.token(), b, { remaining_uses: 3 })
      assert.deepEqual((await Promise.all(Array.from({ length: 6 }, () => use(b, thrice)))).map((r) => r.status).sort(), [201, 201, 201, 401, 401, 401])
      const first = await lend(await a.token(), b, { allow_redelegation: true })
      const second = await lend((await use(b, first)).headers.get('x-subject-token')!, c, {})
      const token = (await use(c, second)).headers.get('x-subject-token')!
      assert.equal(await works(token), true)
      await api.admin('updateUser', { params: { user_id: b.id }, body: { user: { enabled: false } } })
      assert.equal(await works(token), false, 'who handed it on is disabled')
      await api.admin('updateUser', { params: { user_id: b.id }, body: { user: { enabled: true } } })
      assert.equal((await as(await a.token(), 'DELETE', `/OS-TRUST/trusts/${first}`)).status, 204)
      assert.equal(await works(token), false)

      const bind = async (name: string) => (await as(await a.token(), 'POST', `/users/${a.id}/application_credentials`, { application_credential: { name, access_rules: [{ service: 'identity', method: 'GET', path: '/v3/auth/projects' }] } })).status
      assert.deepEqual(await Promise.all(['x', 'y', 'z'].map(bind)), [201, 201, 201])
      assert.equal((await as(await a.token(), 'GET', `/users/${a.id}/access_rules?path__contains=auth`)).body.access_rules.length, 1, 'one rule for all three')

      await as(await a.token(), 'POST', '/credentials', { credential: { user_id: a.id, type: 'totp', blob: 'GEZDGNBVGY3TQOJQ' } })
      const passcodes = await Promise.all(Array.from({ length: 4 }, () => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['totp'], totp: { user: { id: a.id, passcode: passcode(Buffer.from('1234567890'), stepAt(Date.now())) } } } } } })))
      assert.deepEqual(passcodes.map((r) => r.status).sort(), [201, 401, 401, 401])
      await rotateKeys(api.deps.store, { lifeSeconds: longestSealSeconds(api.deps.config) })
      assert.ok((await rotateCredentialKeys(api.deps.store, api.deps.vault)).resealed >= 1)
      assert.equal((await as(await a.token(), 'GET', '/credentials?type=totp')).body.credentials[0].blob, 'GEZDGNBVGY3TQOJQ')
      await api.admin('deleteUser', { params: { user_id: a.id } })
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

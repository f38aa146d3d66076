// An application credential that is bound by access rules, at every service's door: what its rules name is let in, all else is answered as if there were no token.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { anyone } from '#kit/policy/rules.ts'
import { services } from '#services/index.ts'
import { testCloud, type TestCloud } from './cloud.ts'

let cloud: TestCloud, user: string, demo: string
before(async () => {
  cloud = await testCloud()
  demo = await cloud.login()
  user = (await cloud.http(demo, 'GET', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': demo })).body.token.user.id
})
after(() => cloud?.close())

let names = 0
const bound = async (...rules: [service: string, method: string, path: string][]): Promise<{ token: string, id: string, body: any }> => {
  const made = (await cloud.http(demo, 'POST', `/identity/v3/users/${user}/application_credentials`, {
    application_credential: { name: `bound-${++names}`, unrestricted: true, access_rules: rules.map(([service, method, path]) => ({ service, method, path })) },
  })).body.application_credential
  const reply = await cloud.http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: { identity: { methods: ['application_credential'], application_credential: { id: made.id, secret: made.secret } } } })
  assert.equal(reply.status, 201)
  return { token: reply.headers.get('x-subject-token')!, id: made.id, body: reply.body.token }
}
const status = async (token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<number> => (await cloud.http(token, method, path, body, headers)).status

test('each service lets in what the rules name for it, and nothing else', async () => {
  const { token } = await bound(['compute', 'GET', '/v2.1/servers'], ['compute', 'GET', '/v2.1/flavors/*'], ['network', 'GET', '/v2.0/networks/**'], ['image', 'GET', '/v2/images/{image_id}'])
  const flavor = (await cloud.http(demo, 'GET', '/compute/v2.1/flavors')).body.flavors[0].id as string
  for (const path of ['/compute/v2.1/servers', '/compute/v2.1/servers?limit=1', '/compute/v2.1/servers/', `/compute/v2.1/flavors/${flavor}`, `/network/v2.0/networks/${cloud.networkId}`, `/image/v2/images/${cloud.imageId}`]) {
    assert.equal(await status(token, 'GET', path), 200, path)
  }
  for (const path of [
    '/compute/v2.1/servers/detail', '/compute/v2.1/flavors', `/compute/v2.1/flavors/${flavor}/os-extra_specs`, '/network/v2.0/networks', '/network/v2.0/ports', '/image/v2/images', `/image/v2/images/${cloud.imageId}/file`,
    '/placement/resource_providers', '/identity/v3/auth/projects', `/identity/v3/users/${user}`, `/compute/v2.1/servers/x%23`,
  ]) assert.equal(await status(token, 'GET', path), 401, path)
  assert.equal(await status(token, 'POST', '/compute/v2.1/servers', { server: {} }), 401)
  assert.equal(await status(token, 'HEAD', '/compute/v2.1/servers'), 401)
  assert.equal(await status(token, 'POST', `/identity/v3/users/${user}/application_credentials`, { application_credential: { name: 'more' } }), 401, 'unrestricted or not')
  const refused = await cloud.http(token, 'GET', '/network/v2.0/ports')
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Keystone uri=/)
})

test('no operation of any service is forgotten', async () => {
  const { token } = await bound(['compute', 'GET', '/nothing'])
  const open: string[] = []
  for (const { http } of services) {
    for (const op of http.operations) {
      // Where everybody may, nobody asks for a token.
      if (op.access === anyone || http.operations.some((o) => o.path === op.path && o.method === op.method && o.access === anyone)) continue
      if (op.name === 'validateToken') continue
      const path = http.mount + (op.atRoot ? '' : http.prefixes[0] ?? '') + op.path.replace(/\{\w+\}/g, 'x')
      if (await status(token, op.method, path, op.method === 'GET' || op.method === 'HEAD' ? undefined : {}) !== 401) open.push(`${http.name} ${op.name}`)
    }
  }
  assert.deepEqual(open, [])
})

test('a token can be looked at; who does not heed rules is not told of it', async () => {
  const { token, body } = await bound(['compute', 'GET', '/v2.1/servers'])
  assert.deepEqual(body.application_credential.access_rules.map(({ id: _id, ...rule }: any) => rule), [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }])
  const look = (headers: Record<string, string> = {}): Promise<number> => status(token, 'GET', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': token, ...headers })
  assert.deepEqual([await look(), await look({ 'openstack-identity-access-rules': '1.0' }), await look({ 'openstack-identity-access-rules': 'x' })], [404, 200, 404])
  assert.equal(await status(await cloud.login('admin'), 'DELETE', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': token }), 204, 'but it can be ended')
  assert.equal(await status(token, 'GET', '/compute/v2.1/servers'), 401)
})

test('a service that goes on with what it was asked for is let in', async () => {
  const { token } = await bound(['compute', 'GET', '/v2.1/servers'])
  const admin = await cloud.login('admin')
  assert.equal(await status(token, 'GET', '/network/v2.0/ports', undefined, { 'x-service-token': admin }), 401, 'an administrator is no service')
  const role = (await cloud.http(admin, 'GET', '/identity/v3/roles?name=service')).body.roles[0].id as string
  const made = (await cloud.http(admin, 'POST', '/identity/v3/users', { user: { name: 'a-service', password: 'pw' } })).body.user.id as string
  const project = (await cloud.http(admin, 'POST', '/identity/v3/projects', { project: { name: 'services' } })).body.project.id as string
  await cloud.http(admin, 'PUT', `/identity/v3/projects/${project}/users/${made}/roles/${role}`)
  const service = (await cloud.http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: { identity: { methods: ['password'], password: { user: { id: made, password: 'pw' } } }, scope: { project: { id: project } } } })).headers.get('x-subject-token')!
  assert.equal(await status(token, 'GET', '/network/v2.0/ports', undefined, { 'x-service-token': service }), 200)
  assert.equal(await status(token, 'GET', '/network/v2.0/ports', undefined, { 'x-service-token': 'nonsense' }), 401)
})

test('compute calls the other services for a bound credential that may only make servers', async () => {
  const { token } = await bound(['compute', 'POST', '/v2.1/servers'], ['compute', 'GET', '/v2.1/servers/*'])
  const id = await cloud.boot(token)
  assert.equal((await cloud.settled(token, id, 'ACTIVE', 'ERROR')).status, 'ACTIVE')
  assert.equal(await status(token, 'DELETE', `/compute/v2.1/servers/${id}`), 401)
})

test('a rule is the user\'s, shared by his credentials, and stays while one is bound by it', async () => {
  const one = await bound(['compute', 'GET', '/v2.1/limits']), two = await bound(['compute', 'GET', '/v2.1/limits'])
  const { id } = one.body.application_credential.access_rules[0]
  assert.equal(two.body.application_credential.access_rules[0].id, id)
  const path = `/identity/v3/users/${user}/access_rules`
  assert.deepEqual((await cloud.http(demo, 'GET', `${path}?path=/v2.1/limits`)).body.access_rules.map((r: any) => [r.id, r.service, r.method]), [[id, 'compute', 'GET']])
  assert.equal(await status(demo, 'DELETE', `${path}/${id}`), 403)
  for (const used of [one, two]) assert.equal(await status(demo, 'DELETE', `/identity/v3/users/${user}/application_credentials/${used.id}`), 204)
  assert.equal(await status(one.token, 'GET', '/compute/v2.1/limits'), 401)
  assert.equal(await status(demo, 'DELETE', `${path}/${id}`), 204)
  assert.equal(await status(demo, 'GET', `${path}/${id}`), 404)
  const byId = await cloud.http(demo, 'POST', `/identity/v3/users/${user}/application_credentials`, { application_credential: { name: 'gone', access_rules: [{ id }] } })
  assert.equal(byId.status, 400)
})

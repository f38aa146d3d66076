// Identity, by the unmodified `openstack` client: tokens, projects, users, roles, what the cloud says of itself.
import assert from 'node:assert/strict'
import test from 'node:test'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo, client } = c

test('token issue and revoke', async () => {
  const token = await demo.json('token issue')
  assert.equal(token.project_id, c.cloud.seeded.demoProjectId)
  assert.equal((await c.cloud.http(token.id, 'GET', '/compute/v2.1/servers')).status, 200)
  await demo('token revoke', token.id)
  assert.equal((await c.cloud.http(token.id, 'GET', '/compute/v2.1/servers')).status, 401)
})

test('a wrong password is refused without saying what was wrong', async () => {
  const said = await client.as({ username: 'demo', password: 'wrong', project: 'demo' }).fails('token issue')
  assert.match(said, /HTTP 401/)
  assert.doesNotMatch(said, /password/)
})

test('projects', async () => {
  const made = await admin.json('project create p1 --description', 'first project', '--tag', 'red', '--property', 'colour=blue')
  assert.equal(made.description, 'first project')
  assert.ok(column(await admin.json('project list'), 'Name').includes('p1'))
  assert.deepEqual(column(await admin.json('project list --tags red'), 'Name'), ['p1'])
  await admin('project set p1 --name p2 --disable')
  const shown = await admin.json('project show p2')
  assert.equal(shown.enabled, false)
  assert.equal(shown.colour, 'blue')
  await admin('project delete p2')
  assert.match(await admin.fails('project show p2'), /No project with a name or ID of 'p2' exists/)
})

test('users, roles and their assignment', async () => {
  await admin('project create work')
  await admin('user create alice --password first-secret --email alice@example.org --project work')
  assert.equal((await admin.json('user show alice')).email, 'alice@example.org')
  await admin('role create auditor')
  await admin('role add --user alice --project work member')
  await admin('role add --user alice --project work auditor')
  const given = await admin.json('role assignment list --user alice --names')
  assert.deepEqual(given.map((row: any) => [row.Role, row.User, row.Project]).sort(), [['auditor', 'alice@Default', 'work@Default'], ['member', 'alice@Default', 'work@Default']])
  assert.deepEqual(column(await admin.json('role assignment list --project work --role auditor --names'), 'User'), ['alice@Default'])

  const alice = client.as({ username: 'alice', password: 'first-secret', project: 'work' })
  assert.deepEqual(await alice.json('server list'), [])
  await alice('user password set --original-password first-secret --password second-secret')
  assert.match(await alice.fails('token issue'), /401/)
  const again = client.as({ username: 'alice', password: 'second-secret', project: 'work' })
  assert.deepEqual(column(await again.json('project list --my-projects'), 'Name'), ['work'])

  await admin('role remove --user alice --project work member')
  await admin('role remove --user alice --project work auditor')
  assert.match(await again.fails('token issue'), /401/)
  await admin('user set alice --disable')
  assert.equal((await admin.json('user show alice')).enabled, false)
  await admin('user delete alice')
  await admin('role delete auditor')
  assert.ok(!column(await admin.json('user list'), 'Name').includes('alice'))
})

test('groups and domains', async () => {
  await admin('domain create d1 --description', 'a domain')
  await admin('group create g1 --domain d1')
  await admin('user create bob --domain d1 --password bobs-secret')
  await admin('group add user g1 bob --group-domain d1 --user-domain d1')
  assert.match(await admin('group contains user g1 bob --group-domain d1 --user-domain d1'), /bob in group g1/)
  await admin('project create dp --domain d1')
  await admin('role add --group g1 --group-domain d1 --project dp --project-domain d1 member')
  const bob = client.as({ username: 'bob', password: 'bobs-secret', project: 'dp', domain: 'd1' })
  assert.deepEqual(await bob.json('server list'), [])
  await admin('domain set d1 --disable')
  assert.match(await bob.fails('token issue'), /401/)
  await admin('domain delete d1')
  assert.ok(!column(await admin.json('domain list'), 'Name').includes('d1'))
})

test('application credentials', async () => {
  const made = await demo.json('application credential create robot --secret its-secret')
  assert.equal(made.secret, 'its-secret')
  assert.deepEqual(column(await demo.json('application credential list'), 'Name'), ['robot'])
  await demo('application credential delete robot')
})

test('the catalogue, endpoints, services and versions', async () => {
  const catalog = await demo.json<{ Name: string, Type: string, Endpoints: { interface: string, url: string }[] }[]>('catalog list')
  assert.deepEqual(catalog.map((s) => s.Type).sort(), ['compute', 'identity', 'image', 'network', 'placement'])
  const compute = await demo.json('catalog show compute')
  assert.ok(compute.endpoints.every((e: any) => e.url === `${c.cloud.url}/compute/v2.1`))
  assert.equal((await admin.json('service list')).length, 5)
  assert.deepEqual([...new Set(column(await admin.json('endpoint list'), 'Interface'))].sort(), ['admin', 'internal', 'public'])
  assert.deepEqual(column(await admin.json('region list'), 'Region'), ['RegionOne'])
  const versions = await demo.json<Record<string, string>[]>('versions show')
  for (const [type, version] of [['compute', '2.1'], ['identity', '3.'], ['image', '2.'], ['network', '2.0'], ['placement', '1.']] as const) {
    assert.ok(versions.some((v) => v['Service Type'] === type && v['Version']!.startsWith(version) && v['Status'] === 'CURRENT'), `${type} ${JSON.stringify(versions)}`)
  }
})

test('extensions, of every service that has any', async () => {
  const network = column(await demo.json('extension list --network'), 'Alias')
  for (const alias of ['router', 'security-group', 'external-net']) assert.ok(network.includes(alias), alias)
  assert.ok(column(await demo.json('extension list --compute'), 'Alias').length > 0)
  assert.ok((await demo.json('extension list')).length > 0)
  assert.equal((await demo.json('extension show router')).alias, 'router')
})

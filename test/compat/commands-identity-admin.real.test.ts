// Identity's administration, by the unmodified `openstack` client: limits, policies, endpoint groups, domains, implied and domains' own roles.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { scratch } from '#test/servers/process.ts'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo } = c

test('registered limits and limits', async () => {
  const registered = await admin.json('registered limit create --service glance --default-limit 10 --description', 'how many images', 'image_count_total')
  assert.deepEqual([registered.default_limit, registered.resource_name, registered.region_id], [10, 'image_count_total', null])
  assert.deepEqual(column(await admin.json('registered limit list --resource-name image_count_total'), 'ID'), [registered.id])
  assert.equal((await admin.json('registered limit set --default-limit 20', registered.id)).default_limit, 20)
  assert.equal((await admin.json('registered limit show', registered.id)).default_limit, 20)
  const limit = await admin.json('limit create --project demo --service glance --resource-limit 3 image_count_total')
  assert.deepEqual([limit.project_id, limit.resource_limit], [c.cloud.seeded.demoProjectId, 3])
  assert.equal((await admin.json('limit set --resource-limit 4 --description', 'four', limit.id)).resource_limit, 4)
  assert.deepEqual(column(await admin.json('limit list --project demo'), 'ID'), [limit.id])
  assert.deepEqual(column(await demo.json('limit list'), 'ID'), [limit.id], 'one sees one\'s own')
  assert.equal((await demo.json('limit show', limit.id)).description, 'four')
  assert.match(await admin.fails('registered limit delete', registered.id), /1 of 1 registered limits failed to delete/)
  await admin('limit delete', limit.id)
  await admin('registered limit delete', registered.id)
  assert.deepEqual(await admin.json('registered limit list --resource-name image_count_total'), [])
})

test('policies', async () => {
  const { id } = await admin.json('policy create --type text/plain /etc/hostname')
  assert.equal((await admin.json('policy show', id)).type, 'text/plain')
  await admin('policy set --type application/json', id)
  assert.deepEqual((await admin.json('policy list')).map((p: any) => [p.ID, p.Type]), [[id, 'application/json']])
  await admin('policy delete', id)
})

test('endpoints and endpoint groups of projects', async () => {
  const project = await admin.json('project create filtered')
  const [endpoint] = await admin.json('endpoint list --service image --interface public')
  await admin('endpoint add project', endpoint.ID, 'filtered')
  assert.deepEqual(column(await admin.json('endpoint list --project filtered'), 'ID'), [endpoint.ID])
  assert.deepEqual(column(await admin.json('endpoint list --endpoint', endpoint.ID), 'ID'), [project.id])
  await admin('endpoint remove project', endpoint.ID, 'filtered')
  const place = scratch('endpoint-group'), file = join(place.dir, 'filters.json')
  await writeFile(file, '{"interface": "internal"}')
  const group = await admin.json('endpoint group create --description', 'inside', 'inner', file)
  assert.deepEqual(JSON.parse(JSON.stringify(group.filters)), { interface: 'internal' })
  await admin('endpoint group add project inner filtered')
  assert.deepEqual(column(await admin.json('endpoint group list --project filtered'), 'Name'), ['inner'])
  assert.deepEqual(column(await admin.json('endpoint group list --endpointgroup inner'), 'ID'), [project.id])
  await admin('endpoint group set --name within inner')
  assert.equal((await admin.json('endpoint group show within')).name, 'within')
  await admin('endpoint group remove project within filtered')
  await admin('endpoint group delete within')
  assert.deepEqual(await admin.json('endpoint group list'), [])
  await admin('project delete filtered')
  place.remove()
})

test('domains with projects, groups, users and roles of their own', async () => {
  await admin('domain create acme --description', 'anvils')
  await admin('project create --domain acme rockets')
  await admin('user create --domain acme --project rockets --project-domain acme --password beep-beep road --ignore-password-expiry --disable-multi-factor-auth')
  await admin('group create --domain acme birds')
  await admin('group add user --group-domain acme --user-domain acme birds road')
  assert.match(await admin('group contains user --group-domain acme --user-domain acme birds road'), /road in group birds/)
  await admin('role create --domain acme runner')
  // The client looks for roles to imply among those of no domain only.
  const [runner, member] = [(await admin.json('role show --domain acme runner')).id, (await admin.json('role show member')).id]
  assert.equal((await c.cloud.http((await admin.json('token issue')).id, 'PUT', `/identity/v3/roles/${runner}/implies/${member}`)).status, 201)
  await admin('role add --project rockets --project-domain acme --group birds --group-domain acme --role-domain acme runner')
  assert.deepEqual((await admin.json('role assignment list --effective --names --project rockets --project-domain acme')).map((row: any) => [row.Role, row.User]).sort(), [['member', 'road@acme'], ['reader', 'road@acme']])
  assert.deepEqual(column(await admin.json('role list --domain acme'), 'Name'), ['runner'])
  assert.match(await admin.fails('domain delete acme'), /disable/)
  await admin('domain set acme --disable')
  await admin('domain delete acme')
  assert.ok(!column(await admin.json('domain list'), 'Name').includes('acme'))
})

test('implied roles', async () => {
  await admin('role create prior')
  await admin('role create posterior --description', 'comes after')
  await admin('implied role create prior --implied-role posterior')
  assert.ok((await admin.json('implied role list')).some((row: any) => row['Prior Role Name'] === 'prior' && row['Implied Role Name'] === 'posterior'))
  await admin('implied role delete prior --implied-role posterior')
  assert.ok(!(await admin.json('implied role list')).some((row: any) => row['Prior Role Name'] === 'prior'))
})

test('what is immutable, and inherited grants', async () => {
  await admin('project create --immutable stone')
  assert.match(await admin.fails('project delete stone'), /immutable/)
  await admin('project set --no-immutable stone')
  await admin('role add --user demo --domain default --inherited reader')
  assert.ok((await admin.json('role assignment list --user demo --names')).some((row: any) => row.Inherited === true && row.Domain === 'Default'))
  await admin('role remove --user demo --domain default --inherited reader')
  await admin('project delete stone')
})

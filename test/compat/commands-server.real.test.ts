// A server's whole life by the unmodified `openstack` client, on fake hosts.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { waitFor } from '#base/retry.ts'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo, dir } = c
const status = (name: string, ...wanted: string[]) => waitFor(`${name} to be ${wanted.join(' or ')}`, async () => {
  const shown = await demo.json('server show', name)
  return wanted.includes(shown.status) && !shown['OS-EXT-STS:task_state'] ? shown : undefined
}, 20_000)

test('create by image, key, network, user data and config drive; show and list', async () => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'k')])
  writeFileSync(join(dir, 'user-data'), '#!/bin/sh\necho hello\n')
  await demo('keypair create k --public-key', join(dir, 'k.pub'))
  await demo('server group create --policy anti-affinity g')
  const group = (await demo.json('server group show g')).id
  const made = await demo.json('server create s1 --image pileus-guest --flavor m1.tiny --network private --key-name k --config-drive true --property role=web --security-group default --availability-zone nova --wait --user-data', join(dir, 'user-data'), '--hint', `group=${group}`)
  assert.equal(made.status, 'ACTIVE')
  assert.equal(made.key_name, 'k')
  assert.ok(made.adminPass)
  assert.match(made.flavor, /m1.tiny/)
  assert.match(made.image, /pileus-guest/)
  assert.equal(made.config_drive, 'True')
  assert.deepEqual(made.properties, { role: 'web' })
  assert.deepEqual(made.security_groups, [{ name: 'default' }])
  assert.equal(made['OS-EXT-STS:power_state'], 1)
  assert.match(made.addresses.private[0], /^\d+\.\d+\.\d+\.\d+$/)
  const [listed] = await demo.json('server list --long')
  assert.deepEqual([listed.Name, listed.Status, listed['Power State'], listed['Image Name'], listed['Flavor Name'], listed['Availability Zone']], ['s1', 'ACTIVE', 1, 'pileus-guest', 'm1.tiny', 'nova'])
  assert.deepEqual((await demo.json('server group show g')).members, [made.id])
  // The group wants another host, and there is none.
  await demo('server create s2 --image pileus-guest --flavor m1.tiny --network private --hint', `group=${group}`)
  const failed = await status('s2', 'ERROR', 'ACTIVE')
  assert.equal(failed.status, 'ERROR')
  assert.match(JSON.stringify(failed.fault), /No valid host/)
  await demo('server delete s2')
})

test('create with a port, without a network, in numbers', async () => {
  await demo('port create p --network private')
  await demo('server create by-port --image pileus-guest --flavor m1.tiny --port p')
  await status('by-port', 'ACTIVE')
  assert.equal((await demo.json('port show p')).device_owner.startsWith('compute:'), true)
  await demo('server create alone --image pileus-guest --flavor m1.tiny --nic none --os-compute-api-version 2.37')
  await status('alone', 'ACTIVE')
  assert.deepEqual((await demo.json('server show alone')).addresses, {})
  await demo('server create many --image pileus-guest --flavor m1.tiny --network private --min 2 --max 2')
  for (const name of ['many-1', 'many-2']) await status(name, 'ACTIVE')
  assert.deepEqual(column(await demo.json('server list --name many'), 'Name').sort(), ['many-1', 'many-2'])
  await demo('server delete --wait by-port alone many-1 many-2')
  // What the user brought stays, unbound.
  assert.deepEqual([(await demo.json('port show p')).device_id, (await demo.json('port show p')).status], ['', 'DOWN'])
  await demo('port delete p')
})

test('list: filters, paging, all projects', async () => {
  await demo('server create web1 --image pileus-guest --flavor m1.small --network private')
  await status('web1', 'ACTIVE')
  assert.deepEqual(column(await demo.json('server list --name web'), 'Name'), ['web1'])
  assert.deepEqual(column(await demo.json('server list --status ACTIVE --flavor m1.small'), 'Name'), ['web1'])
  assert.deepEqual(await demo.json('server list --status ERROR'), [])
  assert.equal((await demo.json('server list --limit 1')).length, 1)
  assert.equal((await demo.json('server list --limit -1')).length, 2)
  const first = (await demo.json('server list --limit 1'))[0].ID
  assert.notEqual((await demo.json('server list --limit 1 --marker', first))[0].ID, first)
  const ip = (await demo.json('server show web1')).addresses.private[0]
  assert.deepEqual(column(await demo.json('server list --ip', `^${ip.replaceAll('.', '\\.')}$`), 'Name'), ['web1'])
  assert.deepEqual(column(await demo.json('server list'), 'Name'), ['web1', 's1'])
  assert.deepEqual(await admin.json('server list'), [])
  assert.deepEqual(column(await admin.json('server list --all-projects --host host-1'), 'Name').sort(), ['s1', 'web1'])
  assert.deepEqual(column(await admin.json('server list --project demo --long'), 'Host'), ['host-1', 'host-1'])
  // Who is no administrator is refused, as nova does.
  await demo.fails('server list --all-projects')
  await demo('server list --deleted').catch(() => {})
  assert.match(await admin.fails('server show web1'), /No server with a name or ID/i)
})

test('set, unset, lock', async () => {
  await demo('server set web1 --name web2 --property a=1 --property __proto__=kept --os-compute-api-version 2.90 --description', 'the site')
  const shown = await demo.json('server show web2 --os-compute-api-version 2.90')
  assert.deepEqual([shown.description, shown.properties.a, JSON.stringify(shown.properties).includes('kept')], ['the site', '1', true])
  await demo('server unset web2 --property a')
  await demo('server set web2 --tag blue --os-compute-api-version 2.26')
  assert.deepEqual(column(await demo.json('server list --tags blue --os-compute-api-version 2.26'), 'Name'), ['web2'])
  await demo('server lock web2')
  assert.equal((await admin.attempt('server show', shown.id)).rc, 0)
  assert.match(await demo.fails('server stop web2'), /locked/)
  await demo('server unlock web2')
})

test('stop, start, reboot, pause, suspend, and back', async () => {
  await demo('server stop web2')
  await status('web2', 'SHUTOFF')
  assert.match(await demo.fails('server stop web2'), /409|Cannot/)
  await demo('server start web2')
  await status('web2', 'ACTIVE')
  await demo('server reboot --soft web2')
  await status('web2', 'ACTIVE')
  await demo('server reboot --hard web2')
  await status('web2', 'ACTIVE')
  await demo('server pause web2')
  await status('web2', 'PAUSED')
  await demo('server unpause web2')
  await status('web2', 'ACTIVE')
  await demo('server suspend web2')
  await status('web2', 'SUSPENDED')
  await demo('server resume web2')
  await status('web2', 'ACTIVE')
  const events = column(await demo.json('server event list web2'), 'Action')
  for (const action of ['create', 'stop', 'start', 'reboot', 'pause', 'unpause', 'suspend', 'resume']) assert.ok(events.includes(action), `${action} in ${events.join()}`)
  const request = (await demo.json('server event list web2'))[0]['Request ID']
  assert.ok((await demo.json('server event show web2', request)).action)
})

test('console log', async () => {
  await demo('console log show web2')
  await demo('console log show web2 --lines 3')
})

test('floating IPs, security groups, fixed IPs, networks and ports of a server', async () => {
  const address = (await demo.json('floating ip create public')).floating_ip_address
  await demo('server add floating ip web2', address)
  assert.ok((await demo.json('server show web2')).addresses.private.includes(address))
  await demo('server remove floating ip web2', address)
  assert.ok(!(await demo.json('server show web2')).addresses.private.includes(address))
  await demo('floating ip delete', address)
  await demo('security group create extra')
  await demo('server add security group web2 extra')
  assert.deepEqual((await demo.json('server show web2')).security_groups.map((g: any) => g.name).sort(), ['default', 'extra'])
  await demo('server remove security group web2 extra')
  await demo('security group delete extra')
  assert.equal((await demo.json('port list --server web2')).length, 1)
  assert.equal((await demo.json('usage show')).Project, c.cloud.seeded.demoProjectId)
})

test('what an administrator can: show where it is, reset its state', async () => {
  const id = (await demo.json('server show web2')).id
  const shown = await admin.json('server show', id)
  assert.equal(shown['OS-EXT-SRV-ATTR:host'], 'host-1')
  await admin('server set --state error', id)
  assert.equal((await demo.json('server show web2')).status, 'ERROR')
  await admin('server set --state active', id)
  assert.equal((await demo.json('server show web2')).status, 'ACTIVE')
  assert.equal((await demo.json('server show web2'))['OS-EXT-SRV-ATTR:host'] ?? null, null)
})

test('bad requests are told apart', async () => {
  await demo.fails('server create bad --image nothing --flavor m1.tiny --network private')
  await demo.fails('server create bad --image pileus-guest --flavor m1.huge --network private')
  await demo.fails('server create bad --image pileus-guest --flavor m1.tiny --network private --key-name nobody')
  assert.match(await demo.fails('server show 00000000-0000-0000-0000-000000000000'), /No server with a name or ID/i)
})

test('delete, and nothing is left', async () => {
  await demo('server delete --wait s1 web2')
  assert.deepEqual(await demo.json('server list'), [])
  assert.deepEqual((await demo.json('port list')).filter((p: any) => p.device_owner?.startsWith('compute')), [])
  assert.equal((await admin.json('hypervisor stats show')).running_vms, 0)
})

// Flavors, keypairs, hosts, quotas, groups and aggregates, by the unmodified `openstack` client.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo, dir } = c

test('flavors', async () => {
  const made = await admin.json('flavor create f1 --id my-id --ram 256 --disk 3 --ephemeral 0 --swap 0 --vcpus 2 --property hw:cpu_policy=shared --description', 'a flavor')
  assert.deepEqual([made.id, made.ram, made.disk, made.vcpus, made['os-flavor-access:is_public']], ['my-id', 256, 3, 2, true])
  assert.deepEqual(column(await demo.json('flavor list'), 'Name'), ['m1.tiny', 'm1.small', 'm1.medium', 'm1.large', 'f1'])
  assert.deepEqual((await demo.json('flavor show f1')).properties, { 'hw:cpu_policy': 'shared' })
  await admin('flavor set f1 --property hw:numa_nodes=1')
  await admin('flavor unset f1 --property hw:cpu_policy')
  assert.deepEqual((await admin.json('flavor show f1')).properties, { 'hw:numa_nodes': '1' })
  await demo.fails('flavor create mine --ram 64 --disk 1 --vcpus 1')
  await admin('flavor create secret --ram 64 --disk 1 --vcpus 1 --private')
  assert.ok(!column(await demo.json('flavor list'), 'Name').includes('secret'))
  await admin('flavor set secret --project demo')
  assert.ok(column(await demo.json('flavor list --all'), 'Name').includes('secret'))
  await admin('flavor unset secret --project demo')
  await demo.fails('flavor show secret')
  await admin('flavor delete secret f1')
  assert.ok(column(await admin.json('flavor list --all --long'), 'Name').length === 4)
})

test('keypairs: created here, and imported', async () => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me', '-f', join(dir, 'k')])
  await demo('keypair create imported --public-key', join(dir, 'k.pub'))
  const shown = await demo.json('keypair show imported')
  const md5 = execFileSync('ssh-keygen', ['-l', '-E', 'md5', '-f', join(dir, 'k.pub')], { encoding: 'utf8' })
  assert.ok(md5.includes(`MD5:${shown.fingerprint}`))
  assert.equal((await demo('keypair show --public-key imported')).trim(), readFileSync(join(dir, 'k.pub'), 'utf8').trim())
  const secret = await demo('keypair create made')
  assert.match(secret, /PRIVATE KEY/)
  assert.deepEqual(column(await demo.json('keypair list'), 'Name').sort(), ['imported', 'made'])
  assert.deepEqual(await admin.json('keypair list'), [])
  assert.deepEqual(column(await admin.json('keypair list --user demo'), 'Name').sort(), ['imported', 'made'])
  await demo.fails('keypair create imported --public-key', join(dir, 'k.pub'))
  await demo('keypair delete imported made')
  assert.deepEqual(await demo.json('keypair list'), [])
})

test('hypervisors', async () => {
  const [row] = await admin.json('hypervisor list')
  assert.deepEqual([row['Hypervisor Hostname'], row.State], ['host-1', 'up'])
  const shown = await admin.json('hypervisor show host-1')
  assert.deepEqual([shown.service_host, shown.state, shown.status], ['host-1', 'up', 'enabled'])
  assert.ok((await admin.json('hypervisor list --long')).length === 1)
  assert.equal((await admin.json('hypervisor stats show')).count, 1)
  await demo.fails('hypervisor list')
})

test('compute services', async () => {
  const services = await admin.json('compute service list')
  assert.ok(column(services, 'Binary').includes('nova-compute'))
  assert.ok(column(services, 'State').every((state) => state === 'up'))
  await admin('compute service set --disable --disable-reason repair host-1 nova-compute')
  const [off] = await admin.json('compute service list --service nova-compute --long')
  assert.deepEqual([off.Status, off['Disabled Reason']], ['disabled', 'repair'])
  await admin('compute service set --enable host-1 nova-compute')
  await demo.fails('compute service list')
})

test('availability zones', async () => {
  assert.ok(column(await demo.json('availability zone list'), 'Zone Name').includes('nova'))
  assert.deepEqual(column(await demo.json('availability zone list --compute'), 'Zone Status'), ['available'])
  assert.ok((await admin.json('availability zone list --compute --long')).some((z: any) => z['Host Name'] === 'host-1'))
})

test('quotas, limits and usage', async () => {
  const limits = Object.fromEntries((await demo.json('limits show --absolute')).map((row: any) => [row.Name, row.Value]))
  assert.ok(limits.maxTotalInstances > 0)
  assert.equal(limits.totalInstancesUsed, 0)
  await demo('limits show --rate')
  await admin('quota set --instances 3 --ram 4096 demo')
  const changed = Object.fromEntries((await demo.json('limits show --absolute')).map((row: any) => [row.Name, row.Value]))
  assert.deepEqual([changed.maxTotalInstances, changed.maxTotalRAMSize], [3, 4096])
  await admin('quota show --default')
  await admin('quota show --class')
  await admin('quota list --compute --project demo')
  await admin('quota list --network --project demo')
  await admin('quota list --compute --detail --project demo')
  await admin('quota set --class --instances 11 default')
  await admin('usage list')
})

test('server groups', async () => {
  const made = await demo.json('server group create --policy anti-affinity apart')
  assert.deepEqual([made.name, made.policy ?? made.policies, made.members], ['apart', made.policy === undefined ? ['anti-affinity'] : 'anti-affinity', []])
  assert.deepEqual(column(await demo.json('server group list'), 'Name'), ['apart'])
  assert.equal((await demo.json('server group show apart')).id, made.id)
  await demo('server group create --policy soft-affinity --os-compute-api-version 2.64 near')
  await demo('server group delete apart near')
})

test('aggregates', async () => {
  await admin('aggregate create a1 --zone z1 --property ssd=true')
  await admin('aggregate add host a1 host-1')
  const shown = await admin.json('aggregate show a1')
  assert.deepEqual([shown.hosts, shown.availability_zone, shown.properties.ssd], [['host-1'], 'z1', 'true'])
  assert.ok(column(await demo.json('availability zone list --compute'), 'Zone Name').includes('z1'))
  await admin('aggregate set a1 --name a2 --property colour=red')
  await admin('aggregate unset a2 --property ssd')
  assert.deepEqual(column(await admin.json('aggregate list --long'), 'Name'), ['a2'])
  await admin.fails('aggregate delete a2')
  await admin('aggregate remove host a2 host-1')
  await admin('aggregate delete a2')
  assert.deepEqual(await admin.json('aggregate list'), [])
})

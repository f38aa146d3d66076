// The whole user story: `./pileus up`, the unmodified openstack client, real QEMU guests. Needs root; about seven seconds of processor a guest under emulation.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { startClient, type Client, type OpenStack } from '../compat/client.ts'
import { cloudClient, type CloudClient } from '../client.ts'
import { isOpen, ssh, sshWhenUp } from './in-guest.ts'
import { guestOf, hostState, isAlive, passwordIn, storyCloud, type HostState, type Up } from './story-cloud.ts'

if (process.getuid?.() !== 0) throw new Error('real guests and networks need root')
const dir = mkdtempSync(join(tmpdir(), 'pileus-story-'))
execFileSync('chmod', ['711', dir])
const files = (name: string): string => join(dir, name)
const cloud = storyCloud(join(dir, 'state'), ['--port', '5220', '--operator-port', '5221', '--external-cidr', '172.29.7.0/24'])
let up: Up, client: Client, demo: OpenStack, admin: OpenStack, other: OpenStack, api: CloudClient
let hostBefore: HostState, destroyed = false
/** Servers by name: id and floating IP. */
const ids: Record<string, string> = {}
let address = ''

const wait = 120_000
const status = (as: OpenStack, name: string, ...wanted: string[]) => waitFor(`${name} to be ${wanted.join(' or ')}`, async () => {
  const shown = await as.json('server show', ids[name] ?? name)
  return wanted.includes(shown.status) && !shown['OS-EXT-STS:task_state'] ? shown : undefined
}, wait, 100)
const consoleSays = (as: OpenStack, name: string, what: RegExp): Promise<string> => waitFor(`${name}'s console to say ${what}`, async () => {
  const log = await as('console log show', ids[name]!)
  return what.test(log) ? log : undefined
}, wait, 500)

/** Each guest serves its name on a port, and prints on its console what the metadata service told it. */
const userData = (more = ''): string => `#!/bin/sh
mkdir -p /tmp/www; hostname > /tmp/www/index.html; httpd -p 8080 -h /tmp/www
get() { timeout 20 wget -q -O - "http://169.254.169.254$1"; }
say() { echo "TOLD $*" > /dev/console; }
say ec2-ip $(get /latest/meta-data/local-ipv4)
say ec2-hostname $(get /2009-04-04/meta-data/hostname)
say uuid $(get /openstack/latest/meta_data.json | sed 's/.*"uuid": *"\\([^"]*\\)".*/\\1/')
say network-data $(get /openstack/latest/network_data.json)
say user-data $(get /openstack/latest/user_data | head -n 1)
say ec2-user-data $(get /latest/user-data | head -n 1)
say vendor-data $(get /openstack/latest/vendor_data.json)
say key $(get /latest/meta-data/public-keys/0/openssh-key)
${more}
say done
`

before(async () => {
  hostBefore = await hostState()
  up = await cloud.up()
  client = await startClient(up.endpoint)
  const adminPassword = passwordIn(up.openrc_admin), demoPassword = passwordIn(up.openrc)
  admin = client.as({ username: 'admin', password: adminPassword })
  demo = client.as({ username: 'demo', password: demoPassword })
  other = client.as({ username: 'eve', password: 'eves-secret', project: 'other' })
  api = await cloudClient(up.endpoint, { admin: adminPassword, demo: demoPassword })
})
after(async () => {
  await client?.close()
  if (!destroyed) await cloud.destroy()
  rmSync(dir, { recursive: true, force: true })
})

test('two projects make the same network; each boots two servers with the same addresses', async () => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'story', '-f', files('key')])
  writeFileSync(files('serve'), userData())
  writeFileSync(files('ask'), userData('for i in $(seq 60); do p=$(timeout 5 wget -q -O - http://10.0.0.11:8080/) && break; sleep 1; done; say peer $p'))
  await Promise.all([
    admin('flavor create mini --ram 128 --disk 1 --vcpus 1'), demo('keypair create k --public-key', files('key.pub')),
    admin('project create other').then(() => admin('user create eve --password eves-secret')).then(() => admin('role add --user eve --project other member')),
  ])
  const make = async (as: OpenStack, routed: boolean): Promise<void> => {
    await as('network create net')
    await as('subnet create sub --network net --subnet-range 10.0.0.0/24')
    if (routed) {
      await as('router create r')
      await as('router set r --external-gateway public')
      await as('router add subnet r sub')
    }
    await Promise.all([as('port create p10 --network net --fixed-ip ip-address=10.0.0.10'), as('port create p11 --network net --fixed-ip ip-address=10.0.0.11')])
  }
  await Promise.all([make(demo, true), make(other, false)])
  const boot = async (as: OpenStack, name: string, port: string, script: string, ...more: string[]): Promise<void> => {
    ids[name] = (await as.json(`server create ${name} --image pileus-guest --flavor mini --port ${port} ${more.join(' ')}`, '--user-data', files(script))).id
  }
  await boot(demo, 'a', 'p10', 'ask', '--key-name k')
  await boot(demo, 'b', 'p11', 'serve', '--key-name k --config-drive true')
  await boot(other, 'c', 'p10', 'ask')
  await boot(other, 'd', 'p11', 'serve')
  for (const [as, names] of [[demo, ['a', 'b']], [other, ['c', 'd']]] as const) {
    for (const name of names) {
      const shown = await status(as, name, 'ACTIVE', 'ERROR')
      assert.equal(shown.status, 'ACTIVE', JSON.stringify(shown.fault))
    }
  }
})

test('guests run unprivileged, each for itself, sandboxed and in a cgroup', async () => {
  const guests = ['a', 'b', 'c', 'd'].map((name) => guestOf(ids[name]!)!)
  assert.equal(new Set(guests.map((g) => g.uid)).size, 4, 'a uid each')
  for (const guest of guests) {
    assert.notEqual(guest.uid, 0)
    assert.match(guest.commandLine, /-sandbox on/)
    assert.equal(guest.seccomp, 2)
    assert.ok(guest.cgroups.includes(up.cloud_id), guest.cgroups)
  }
})

test('a floating IP leads to the guest once a security group rule says so', async () => {
  await consoleSays(demo, 'a', /READY/)
  address = (await demo.json('floating ip create public')).floating_ip_address
  await demo('server add floating ip a', address)
  assert.equal(await isOpen(address, 22), false, 'nobody opened it')
  const rule = (await demo.json('security group rule create default --protocol tcp --dst-port 22')).id
  assert.match(await sshWhenUp(address, files('key'), 'hostname; ip -4 -o addr show'), /^a\n[\s\S]*10\.0\.0\.10\/24/)
  await demo('security group rule delete', rule)
  await waitFor('the port to be closed again', async () => ((await isOpen(address, 22)) ? undefined : true), wait)
  await demo('security group rule create default --protocol tcp --dst-port 22')
  await sshWhenUp(address, files('key'), 'true')
})

test('servers of a project reach each other, and never those of the other project at the same addresses and ports', async () => {
  // Both projects' servers ask 10.0.0.11, port 8080: each gets its own neighbour.
  assert.match(await consoleSays(demo, 'a', /TOLD peer/), /TOLD peer b\s/)
  assert.match(await consoleSays(other, 'c', /TOLD peer/), /TOLD peer d\s/)
  assert.equal(await ssh(address, files('key'), 'wget -q -O - http://10.0.0.11:8080/'), 'b\n')
})

test('each guest is told its own metadata, on networks with and without a router', async () => {
  const facts: [OpenStack, string, string, boolean][] = [[demo, 'a', '10.0.0.10', true], [demo, 'b', '10.0.0.11', true], [other, 'c', '10.0.0.10', false], [other, 'd', '10.0.0.11', false]]
  for (const [as, name, ip, key] of facts) {
    const log = await consoleSays(as, name, /TOLD done/)
    const told = (what: string): string => new RegExp(`TOLD ${what} ?([^\\r\\n]*)`).exec(log)?.[1] ?? ''
    assert.equal(told('uuid'), ids[name], `${name}'s id`)
    assert.equal(told('ec2-ip'), ip)
    assert.match(told('ec2-hostname'), new RegExp(`^${name}`))
    assert.equal(told('user-data'), '#!/bin/sh')
    assert.equal(told('ec2-user-data'), '#!/bin/sh')
    assert.equal(JSON.parse(told('network-data')).networks.length, 1)
    assert.ok(typeof JSON.parse(told('vendor-data')) === 'object')
    assert.equal(/^ssh-ed25519/.test(told('key')), key)
    assert.match(log, name === 'b' ? /datasource=config-drive/ : /datasource=openstack/)
  }
  // Headers are nobody's proof.
  const spoofed = await ssh(address, files('key'), `wget -q -O - --header 'X-Instance-ID: ${ids.b}' --header 'X-Forwarded-For: 10.0.0.11' http://169.254.169.254/openstack/latest/meta_data.json`)
  assert.equal(JSON.parse(spoofed).uuid, ids.a)
})

test('pause, suspend and back: the same life; reboot: another', async () => {
  const life = (): Promise<string> => sshWhenUp(address, files('key'), 'cat /proc/sys/kernel/random/boot_id')
  const first = await life()
  await demo('server pause', ids.a!)
  await status(demo, 'a', 'PAUSED')
  await demo('server unpause', ids.a!)
  await status(demo, 'a', 'ACTIVE')
  await demo('server suspend', ids.a!)
  await status(demo, 'a', 'SUSPENDED')
  assert.equal(guestOf(ids.a!), undefined)
  await demo('server resume', ids.a!)
  await status(demo, 'a', 'ACTIVE')
  assert.equal(await life(), first)
  await demo('server reboot --soft', ids.a!)
  await waitFor('another life', async () => ((await ssh(address, files('key'), 'cat /proc/sys/kernel/random/boot_id').catch(() => first)) === first ? undefined : true), wait, 500)
  await status(demo, 'a', 'ACTIVE')
})

test('stop, start, hard reboot; a guest killed from outside shows', async () => {
  await demo('server stop', ids.b!)
  await status(demo, 'b', 'SHUTOFF')
  assert.equal(guestOf(ids.b!), undefined)
  await demo('server start', ids.b!)
  await status(demo, 'b', 'ACTIVE')
  const pid = guestOf(ids.b!)!.pid
  await demo('server reboot --hard', ids.b!)
  await waitFor('a new process', () => { const now = guestOf(ids.b!); return now && now.pid !== pid ? now : undefined }, wait)
  await status(demo, 'b', 'ACTIVE')
  process.kill(guestOf(ids.d!)!.pid, 'SIGKILL')
  await status(other, 'd', 'SHUTOFF')
})

test('the control plane goes and comes back: guests run on and are adopted', async (t) => {
  const pids = ['a', 'b', 'c'].map((name) => guestOf(ids[name]!)!.pid)
  await cloud.down()
  assert.ok(pids.every(isAlive))
  assert.equal(await ssh(address, files('key'), 'hostname'), 'a\n')
  up = await cloud.up()
  t.diagnostic(`answering again ${up.started_in_ms} ms after its start`)
  assert.deepEqual(['a', 'b', 'c'].map((name) => guestOf(ids[name]!)!.pid), pids)
  const token = await api.login()
  for (const name of ['a', 'b']) assert.equal((await api.http(token, 'GET', `/compute/v2.1/servers/${ids[name]}`)).body.server.status, 'ACTIVE')
  // Adopted, not merely remembered: it still obeys.
  await demo('server pause', ids.b!)
  await status(demo, 'b', 'PAUSED')
  await demo('server unpause', ids.b!)
  await status(demo, 'b', 'ACTIVE')
})

test('killed in the middle of a boot: the server becomes ACTIVE or ERROR; in the middle of a delete: it goes', async () => {
  const token = await api.login()
  const network = (await demo.json('network show net')).id, flavor = (await demo.json('flavor show mini')).id
  const id = await api.boot(token, { name: 'e', networks: [{ uuid: network }], flavorRef: flavor })
  await cloud.kill(up.pid)
  up = await cloud.up()
  ids.e = id
  const settled = await status(demo, 'e', 'ACTIVE', 'ERROR')
  assert.equal(guestOf(id) !== undefined, settled.status === 'ACTIVE')
  assert.equal((await api.http(await api.login(), 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
  await cloud.kill(up.pid)
  up = await cloud.up()
  await api.gone(await api.login(), id)
  await waitFor('its process to be gone', () => (guestOf(id) ? undefined : true), wait)
  assert.deepEqual((await demo.json('port list')).filter((p: any) => p['Fixed IP Addresses'].length === 0 || p.device_id === id), [])
})

test('all is deleted by its users, and nothing is left', async () => {
  await Promise.all([demo('server delete --wait', ids.a!, ids.b!), other('server delete --wait', ids.c!, ids.d!)])
  for (const name of ['a', 'b', 'c', 'd']) assert.equal(guestOf(ids[name]!), undefined)
  await demo('floating ip delete', address)
  await demo('router remove subnet r sub')
  await demo('router delete r')
  for (const as of [demo, other]) {
    await as('port delete p10 p11')
    await as('network delete net')
    assert.deepEqual(await as.json('port list --device-owner compute:nova'), [])
  }
  assert.equal((await admin.json('hypervisor stats show')).running_vms, 0)
  const here = await hostState(up.cloud_id)
  assert.deepEqual(here.processes.filter((line) => line.includes('qemu-system')), [])
  assert.notDeepEqual(here.namespaces, hostBefore.namespaces, 'the comparison sees the cloud while it stands')

  await cloud.destroy()
  destroyed = true
  assert.deepEqual(await hostState(up.cloud_id), hostBefore)
})

// Writes conversations/*.json anew: runs real clients through the recorder against a cloud with fake drivers. By hand, on a machine that has them:
//   node test/compat/record.ts [NAME]
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testCloud } from '../cloud.ts'
import { startClient } from './client.ts'
import type { Conversation } from './conversation.ts'
import { gophercloud } from './gophercloud.ts'
import { startRecorder } from './recorder.ts'
import { seededIds } from './seeded-ids.ts'

type Talk = (url: string, seeded: Record<string, string>) => Promise<void>
const exec = promisify(execFile)
const passwords = { admin: 'admin-pass', demo: 'demo-pass' }

const openstackclient: Talk = async (url) => {
  const client = await startClient(url)
  const demo = client.as({ username: 'demo', password: passwords.demo })
  for (const line of ['token issue', 'image list', 'flavor list', 'network list', 'keypair create k1', 'server create s1 --image pileus-guest --flavor m1.tiny --network private --key-name k1 --wait', 'server list --long', 'server show s1',
    'floating ip create public', 'console log show s1', 'server event list s1', 'quota show', 'limits show --absolute', 'availability zone list', 'extension list --network', 'server stop s1', 'server delete --wait s1', 'keypair delete k1', 'volume list']) {
    await demo.attempt(line)
  }
  await client.close()
}

const sdk = `
import openstack
c = openstack.connect(auth_url=URL + '/identity/v3', username='demo', password='demo-pass', project_name='demo', user_domain_name='Default', project_domain_name='Default', region_name='RegionOne')
list(c.compute.servers()); list(c.compute.flavors()); list(c.image.images()); list(c.network.networks()); list(c.network.subnets()); list(c.network.ports()); list(c.network.routers())
list(c.network.security_groups()); list(c.network.ips()); list(c.compute.keypairs()); list(c.compute.availability_zones()); list(c.compute.server_groups()); c.get_compute_limits(); c.list_server_security_groups
s = c.create_server('s1', image='pileus-guest', flavor='m1.tiny', network='private', wait=True, auto_ip=False)
assert s.status == 'ACTIVE'
c.list_servers(detailed=True)
f = c.create_floating_ip(network='public', server=s, wait=False)
c.get_server_console(s)
c.delete_server('s1', wait=True)
c.delete_floating_ip(f['id'])
`
const openstacksdk: Talk = async (url) => { await exec('/usr/bin/python3', ['-W', 'ignore', '-c', `URL = ${JSON.stringify(url)}\n${sdk}`], { timeout: 120_000 }) }

const tempest: Talk = async (url, seeded) => {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-tempest-'))
  mkdirSync(join(dir, 'lock'))
  writeFileSync(join(dir, 'tempest.conf'), `[oslo_concurrency]\nlock_path = ${dir}/lock\n[auth]\nuse_dynamic_credentials = true\nadmin_username = admin\nadmin_password = admin-pass\nadmin_project_name = admin\nadmin_domain_name = Default
[identity]\nuri_v3 = ${url}/identity/v3\nauth_version = v3\nregion = RegionOne\n[compute]\nimage_ref = ${seeded.image}\nimage_ref_alt = ${seeded.image}\nflavor_ref = 1\nflavor_ref_alt = 2\nbuild_interval = 1
[network]\npublic_network_id = ${seeded.public}\nproject_network_cidr = 10.100.0.0/16\nproject_network_mask_bits = 28\n[service_available]\ncinder = false\nneutron = true\nglance = true\nnova = true\nswift = false\n[validation]\nrun_validation = false\n`)
  await exec('/usr/bin/python3', ['-W', 'ignore', '-m', 'unittest', 'tempest.api.compute.servers.test_servers.ServersTestJSON.test_create_server_with_admin_password', 'tempest.api.network.test_networks.NetworksTest.test_list_networks', 'tempest.api.image.v2.test_images.ListUserImagesTest.test_list_no_params'],
    { timeout: 180_000, env: { PATH: '/usr/bin:/bin', HOME: dir, TEMPEST_CONFIG_DIR: dir, TEMPEST_CONFIG: 'tempest.conf' } }).catch((error: { stderr?: string }) => { throw new Error(`tempest: ${error.stderr?.slice(-2000)}`) })
  rmSync(dir, { recursive: true, force: true })
}

/** Known before the cloud starts: it asks itself through the recorder. */
const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})

const talks: Record<string, Talk> = { openstackclient, openstacksdk, tempest, gophercloud: (url) => gophercloud(url, passwords.demo) }
const dir = join(import.meta.dirname, 'conversations')
mkdirSync(dir, { recursive: true })
for (const [name, talk] of Object.entries(talks)) {
  if (process.argv[2] !== undefined && process.argv[2] !== name) continue
  const recorder = await startRecorder(passwords)
  const port = await freePort()
  recorder.target = `http://127.0.0.1:${port}`
  const cloud = await testCloud({ publicUrl: recorder.url, listen: { address: '127.0.0.1', port } })
  const seeded = await seededIds(cloud)
  try {
    recorder.take()
    await talk(recorder.url, seeded)
    const conversation: Conversation = { client: name, exchanges: recorder.take(seeded) }
    const lines = conversation.exchanges.map((exchange) => `    ${JSON.stringify(exchange)}`)
    writeFileSync(join(dir, `${name}.json`), `{\n  "client": ${JSON.stringify(name)},\n  "exchanges": [\n${lines.join(',\n')}\n  ]\n}\n`)
    console.log(`${name}: ${conversation.exchanges.length} requests, ${conversation.exchanges.filter((e) => e.status >= 400).map((e) => `${e.method} ${e.path} ${e.status}`).join('; ') || 'none refused'}`)
  } finally {
    await cloud.close()
    await recorder.close()
  }
}

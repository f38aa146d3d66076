// Builds the guest image from Debian's packages and boots it with plain QEMU: what the rest of the project's real tests rely on.
// Needs root (the second half makes a network namespace), qemu-system-x86, dnsmasq-base, openssh-client and Debian's package sources.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'
import { exec } from '#host/exec.ts'
import { isoImage } from '#host/iso.ts'
import { Bench, GuestNetwork, metaData } from './machine.testing.ts'

const builder = join(import.meta.dirname, 'build.sh')
let bench: Bench, home: string, image: string

const script = '#!/bin/sh\necho "USER DATA RAN on $(hostname)"\necho "once more" >> /root/runs\n'
const hostKeys = (text: string): string => /-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END/.exec(text)![1]!
const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})

before(async () => {
  bench = await Bench.open()
  home = bench.home
  await exec(builder, [join(home, 'out')], { timeoutMs: 600_000 })
  image = join(home, 'out', 'pileus-guest.qcow2')
})
after(() => bench.close())

describe('the builder', () => {
  test('describes what it made, leaves nothing else, and does nothing the second time', async () => {
    const facts = JSON.parse(await readFile(join(home, 'out', 'pileus-guest.json'), 'utf8')) as Record<string, unknown>
    assert.equal(facts.sha512, createHash('sha512').update(await readFile(image)).digest('hex'))
    assert.equal(facts.min_disk, 1)
    const before = await stat(image)
    const { stderr } = await exec(builder, [join(home, 'out')])
    assert.match(stderr, /up to date/)
    assert.equal((await stat(image)).mtimeMs, before.mtimeMs)
    assert.deepEqual((await readdir(join(home, 'out'))).sort(), ['.pileus-guest.lock', 'debs', 'pileus-guest.json', 'pileus-guest.qcow2'])
  })
})

describe('a guest with a config drive', () => {
  test('is itself, takes the key, runs user data once, grows, switches off cleanly and remembers', async t => {
    const uuid = newId(), port = await freePort(), drive = join(home, 'config.iso')
    await writeFile(drive, isoImage({
      'openstack/latest/meta_data.json': Buffer.from(metaData(uuid, 'first-guest', await bench.publicKey())), 'openstack/latest/user_data': Buffer.from(script),
    }, 'config-2'))
    const args = [...await bench.disk(image, 2), '-device', 'virtio-scsi-pci', '-drive', `file=${drive},if=none,id=cd,format=raw,readonly=on`, '-device', 'scsi-cd,drive=cd',
      '-netdev', `user,id=n0,hostfwd=tcp:127.0.0.1:${port}-:22`, '-device', 'virtio-net-pci,netdev=n0,romfile=']
    const ssh = async (user: string, command: string): Promise<string> => (await exec('ssh', bench.sshArgs(user, '127.0.0.1', port, command), { timeoutMs: 60_000 })).stdout.trim()

    const startedAt = Date.now()
    const one = await bench.boot(args)
    const ready = await one.said(/READY (\S+)\s/)
    await one.said(/first-guest login:/)
    t.diagnostic(`first boot: login prompt ${Date.now() - startedAt} ms after start, guest's own clock ${ready[1]} s, CPU ${await one.cpuSeconds()} s`)
    assert.match(one.text(), new RegExp(`datasource=config-drive instance=${uuid} hostname=first-guest first=1`))
    assert.match(one.text(), /root grown to (19|20)\d\d MiB/)
    await one.said(/USER DATA RAN on first-guest[\s\S]*user data finished rc=0/)
    assert.match(hostKeys(one.text()), /^\s+ssh-ed25519 \S+ \S+\s+ecdsa-sha2-nistp256 \S+ \S+\s+$/)
    assert.equal(await ssh('debian', 'hostname; id -un'), 'first-guest\ndebian')
    assert.equal(await ssh('debian', 'sudo id -un; ping -c 1 10.0.2.2 > /dev/null && echo pinged'), 'root\npinged')
    assert.equal(await ssh('root', 'cat /proc/partitions | awk \'$4 == "vda2" { print int($3 / 1024) }\''), '2023')
    assert.ok(Number(await ssh('root', 'df -m / | awk \'NR == 2 { print $2 }\'')) > 1850)
    const served = await ssh('root', 'mkdir /tmp/www; echo hello > /tmp/www/index.html; httpd -p 8080 -h /tmp/www; wget -q -O - http://127.0.0.1:8080/ | sha256sum; echo probe | nc -w 2 127.0.0.1 22 | head -n 1')
    assert.match(served, new RegExp(`^${createHash('sha256').update('hello\n').digest('hex')}  -\nSSH-2.0-dropbear`))
    await ssh('root', 'echo kept > /root/kept; echo written late > /home/debian/late')
    t.diagnostic(`power button to off: ${await one.powerDown()} ms`)

    const two = await bench.boot(args)
    await two.said(/first-guest login:/)
    t.diagnostic(`second boot: CPU ${await two.cpuSeconds()} s`)
    assert.match(two.text(), /first=0/)
    assert.equal(hostKeys(two.text()), hostKeys(one.text()))
    assert.equal(await ssh('root', 'cat /root/kept /root/runs /home/debian/late; wc -l < /root/.ssh/authorized_keys'), 'kept\nonce more\nwritten late\n1')
    assert.doesNotMatch(two.text(), /USER DATA RAN/)
    // The file system was left clean, so nothing had to be recovered.
    assert.doesNotMatch(await ssh('root', 'dmesg'), /recovery|orphan/)
    const reset = two.qmp.event('RESET', event => event.event === 'RESET' && event.data.guest === true, bench.patienceMs)
    await ssh('root', 'reboot').catch(() => {}) // the connection breaks
    await reset
    await two.said(/login:[\s\S]*READY[\s\S]*login:/)
    await two.powerDown()
  })
})

describe('a guest on a network', () => {
  let network: GuestNetwork
  before(async () => { network = new GuestNetwork(bench); await network.open() })
  after(() => network.close())

  test('takes option 121 and the MTU, asks the OpenStack service again until it answers, and needs it no more the next time', async t => {
    const { netns, cards } = network, uuid = newId(), disk = await bench.disk(image, 2)
    const service = await network.serve({ '/openstack/latest/meta_data.json': metaData(uuid, 'over-http.example', await bench.publicKey()), '/openstack/latest/user_data': '#cloud-config\npackages: []\n' }, 3)
    const one = await bench.boot([...disk, ...cards], { netns, uuid })
    await one.said(/over-http\S* login:/)
    assert.match(one.text(), new RegExp(`datasource=openstack instance=${uuid} hostname=over-http.example`))
    assert.match(one.text(), /#cloud-config, which this small image does not understand/)
    const routes = await network.ssh('ip route')
    t.diagnostic(routes)
    assert.match(routes, /default via 10\.9\.0\.1 dev eth0/)
    assert.match(routes, /169\.254\.169\.254 via 10\.9\.0\.2 dev eth0/)
    assert.match(routes, /10\.77\.0\.0\/16 via 10\.9\.0\.1 dev eth0/)
    assert.match(routes, /default via 10\.10\.0\.1 dev eth1/)
    assert.equal(await network.ssh('cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu'), '1400\n1500')
    assert.match(await network.ssh('ip -4 -o addr show eth1'), /10\.10\.0\.50\/24/)
    assert.equal(await network.ssh('hostname; cat /etc/resolv.conf'), 'over-http.example\nnameserver 10.9.0.1')
    await one.powerDown()
    await network.stop(service)
    const two = await bench.boot([...disk, ...cards], { netns, uuid })
    await two.said(/login:/)
    assert.match(two.text(), /datasource=cached instance=\S+ hostname=over-http.example first=0/)
    assert.equal(hostKeys(two.text()), hostKeys(one.text()))
    await two.powerDown()
    // The same disk as another instance: another identity.
    const other = await network.serve({ '/openstack/latest/meta_data.json': metaData(newId(), 'a-copy', await bench.publicKey()) })
    const three = await bench.boot([...disk, ...cards], { netns, uuid: newId() })
    await three.said(/a-copy login:/)
    assert.notEqual(hostKeys(three.text()), hostKeys(one.text()))
    await three.powerDown()
    await network.stop(other)
  })

  test('understands EC2\'s format', async () => {
    const m = '/2009-04-04/meta-data'
    const service = await network.serve({
      [`${m}/instance-id`]: 'i-0000002a', [`${m}/hostname`]: 'from-ec2', [`${m}/public-keys/`]: '0=my key', [`${m}/public-keys/0/openssh-key`]: await bench.publicKey(), '/2009-04-04/user-data': script,
    })
    const guest = await bench.boot([...await bench.disk(image, 1), ...network.cards], { netns: network.netns })
    await guest.said(/from-ec2 login:/)
    assert.match(guest.text(), /datasource=ec2 instance=i-0000002a hostname=from-ec2/)
    await guest.said(/USER DATA RAN on from-ec2/)
    assert.equal(await network.ssh('id -un'), 'debian')
    await guest.powerDown()
    await network.stop(service)
  })
})

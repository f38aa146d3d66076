// Builds the guest image from Debian's packages and boots it with plain QEMU: what the rest of the project's real tests rely on.
// Needs root (the second half makes a network namespace), qemu-system-x86, dnsmasq, openssh-client and Debian's package sources.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'
import { retry } from '#base/retry.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import type { Detached } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { isoImage } from '#host/iso.ts'
import { createOverlay } from '#host/qemu-img.ts'
import { openQmp } from '#host/qmp.ts'
import type { Qmp } from '#host/qmp.ts'
import { connectUnix, listenFor } from '#host/sockets.ts'

const builder = join(import.meta.dirname, 'build.sh')
const patienceMs = 180_000
let home: string, image: string, key: string

interface Guest { qmp: Qmp, process: Detached, said(pattern: RegExp): Promise<RegExpExecArray>, text(): string, cpuSeconds(): Promise<number>, powerDown(): Promise<number> }
const running = new Set<Detached>()

/** Starts QEMU and reads its serial line from the first byte; `said` settles as soon as a pattern is there. */
async function boot(args: string[], options: { netns?: string, uuid?: string } = {}): Promise<Guest> {
  const serialPath = join(home, `${newId()}.ser`), qmpPath = join(home, `${newId()}.qmp`)
  const serial = await listenFor(serialPath), monitor = await listenFor(qmpPath)
  const qemu = ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg,tb-size=64', '-cpu', 'Nehalem', '-m', '128', '-nodefaults', '-display', 'none', '-vga', 'std', '-device', 'virtio-rng-pci',
    '-chardev', 'socket,id=ser,fd=3,server=on,wait=on', '-serial', 'chardev:ser', '-chardev', 'socket,id=mon,fd=4,server=on,wait=off', '-mon', 'chardev=mon,mode=control', ...args]
  if (options.uuid) qemu.push('-smbios', `type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,uuid=${options.uuid}`)
  const [command, ...rest] = options.netns ? ['ip', 'netns', 'exec', options.netns, ...qemu] : qemu
  const process = await spawnDetached(command!, rest, { stdio: ['ignore', 'ignore', 'pipe', serial.fd, monitor.fd] })
  running.add(process)
  await serial.release()
  await monitor.release()
  const socket: Socket = await connectUnix(serialPath)
  let text = ''
  const waiting = new Set<() => void>()
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => { text += chunk; for (const look of [...waiting]) look() })
  socket.on('error', () => {})
  const said = (pattern: RegExp): Promise<RegExpExecArray> => new Promise((resolve, reject) => {
    const over = (): void => { waiting.delete(look); clearTimeout(timer) }
    const look = (): void => { const match = pattern.exec(text); if (match) { over(); resolve(match) } }
    const timer = setTimeout(() => { over(); reject(new Error(`the guest never said ${pattern}; it said:\n${text}\n${process.stderrTail()}`)) }, patienceMs)
    waiting.add(look)
    look()
  })
  const qmp = await openQmp(qmpPath, 60_000)
  const cpuSeconds = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${process.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }
  const powerDown = async (): Promise<number> => {
    const from = Date.now()
    const off = qmp.event('SHUTDOWN', event => event.event === 'SHUTDOWN', patienceMs)
    await qmp.execute('system_powerdown')
    const { data } = await off
    assert.equal(data.reason, 'guest-shutdown')
    const tookMs = Date.now() - from
    await process.exited
    running.delete(process)
    return tookMs
  }
  return { qmp, process, said, text: () => text, cpuSeconds, powerDown }
}

const disk = async (): Promise<{ path: string, args: string[] }> => {
  const path = join(home, `${newId()}.qcow2`)
  await createOverlay(path, { path: image, format: 'qcow2' }, 2 * 1024 ** 3)
  return { path, args: ['-drive', `file=${path},if=virtio,format=qcow2`] }
}

const metaData = (uuid: string, hostname: string, publicKey: string): string =>
  JSON.stringify({ uuid, hostname, name: 'a "quoted" näme', public_keys: { 'my key': `${publicKey}\n` }, keys: [{ name: 'my key', type: 'ssh', data: publicKey }], launch_index: 0, meta: {}, devices: [] })

const script = '#!/bin/sh\necho "USER DATA RAN on $(hostname)"\necho "once more" >> /root/runs\n'

const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
})

const sshArgs = (user: string, host: string, port: number, command: string): string[] =>
  ['-q', '-i', key, '-p', String(port), '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=20', `${user}@${host}`, command]
const publicKey = async (): Promise<string> => (await readFile(`${key}.pub`, 'utf8')).trim()
const hostKeys = (text: string): string => /-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END/.exec(text)![1]!

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'pileus-guest-'))
  key = join(home, 'key')
  await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  await exec(builder, [join(home, 'out')], { timeoutMs: 600_000 })
  image = join(home, 'out', 'pileus-guest.qcow2')
})
after(async () => {
  for (const { pid } of running) process.kill(pid, 'SIGKILL')
  await removeTree(home)
})

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
    assert.equal((await exec('losetup', ['--list', '--noheadings'])).stdout.includes(home), false)
  })
})

describe('a guest with a config drive', () => {
  test('is itself, takes the key, runs user data once, grows, switches off cleanly and remembers', async t => {
    const root = await disk(), uuid = newId(), port = await freePort()
    const drive = join(home, 'config.iso')
    await writeFile(drive, isoImage({
      'openstack/latest/meta_data.json': Buffer.from(metaData(uuid, 'first-guest', await publicKey())), 'openstack/latest/user_data': Buffer.from(script),
    }, 'config-2'))
    const args = [...root.args, '-device', 'virtio-scsi-pci', '-drive', `file=${drive},if=none,id=cd,format=raw,readonly=on`, '-device', 'scsi-cd,drive=cd',
      '-netdev', `user,id=n0,hostfwd=tcp:127.0.0.1:${port}-:22`, '-device', 'virtio-net-pci,netdev=n0,romfile=']
    const ssh = async (user: string, command: string): Promise<string> => (await exec('ssh', sshArgs(user, '127.0.0.1', port, command), { timeoutMs: 60_000 })).stdout.trim()

    const startedAt = Date.now()
    const one = await boot(args)
    const ready = await one.said(/READY (\S+)/)
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
    await ssh('root', 'echo kept > /root/kept; (echo hello > /tmp/index.html; httpd -p 8080 -h /tmp); wget -q -O - http://127.0.0.1:8080/ | sha256sum; nc -h 2>&1 | head -1')
    await ssh('root', 'echo written late > /home/debian/late')
    const tookMs = await one.powerDown()
    t.diagnostic(`power button to off: ${tookMs} ms`)

    const two = await boot(args)
    await two.said(/first-guest login:/)
    t.diagnostic(`second boot: CPU ${await two.cpuSeconds()} s`)
    assert.match(two.text(), /first=0/)
    assert.equal(hostKeys(two.text()), hostKeys(one.text()))
    assert.equal(await ssh('root', 'cat /root/kept /root/runs /home/debian/late; wc -l < /root/.ssh/authorized_keys'), 'kept\nonce more\nwritten late\n1')
    assert.doesNotMatch(two.text(), /USER DATA RAN/)
    // The file system was left clean, so nothing had to be recovered.
    assert.doesNotMatch(await ssh('root', 'dmesg'), /recovery|orphan/)
    const reset = two.qmp.event('RESET', event => event.event === 'RESET' && event.data.guest === true, patienceMs)
    await ssh('root', 'reboot').catch(() => {}) // the connection breaks
    await reset
    await two.said(/login:[\s\S]*READY[\s\S]*login:/)
    await two.powerDown()
  })
})

/** Answers what it is told to, after refusing the first `broken` requests: a metadata service that is not up yet. */
const stub = `
  const { answers, broken } = JSON.parse(process.env.STUB); let n = 0
  require('node:http').createServer((q, r) => { const body = n++ < broken ? undefined : answers[q.url]
    r.writeHead(body === undefined ? 404 : 200, { 'content-length': Buffer.byteLength(body ?? '') }).end(body) }).listen(80, '169.254.169.254', () => console.error('listening'))`

describe('a guest on a network', () => {
  const netns = `pguest${process.pid}`
  const inside = (command: string, ...args: string[]): Promise<unknown> => exec('ip', ['netns', 'exec', netns, command, ...args])
  const daemons: Detached[] = []

  before(async () => {
    await exec('ip', ['netns', 'add', netns])
    await inside('ip', 'link', 'set', 'lo', 'up')
    await inside('ip', 'addr', 'add', '169.254.169.254/32', 'dev', 'lo')
    for (const [tap, net] of [['tap0', '10.9.0'], ['tap1', '10.10.0']] as const) {
      await inside('ip', 'tuntap', 'add', tap, 'mode', 'tap')
      await inside('ip', 'addr', 'add', `${net}.1/24`, 'dev', tap)
      await inside('ip', 'addr', 'add', `${net}.2/24`, 'dev', tap)
      await inside('ip', 'link', 'set', tap, 'up')
    }
    daemons.push(await spawnDetached('ip', ['netns', 'exec', netns, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--bind-dynamic', '--no-ping',
      '--interface=tap0', '--interface=tap1', `--dhcp-leasefile=${home}/leases`, '--pid-file=', '--dhcp-range=set:a,10.9.0.50,10.9.0.50', '--dhcp-range=set:b,10.10.0.50,10.10.0.50',
      '--dhcp-option=tag:a,121,0.0.0.0/0,10.9.0.1,169.254.169.254/32,10.9.0.2,10.77.0.0/16,10.9.0.1', '--dhcp-option=tag:a,26,1400',
      '--dhcp-option=tag:a,6,10.9.0.1', '--dhcp-option=tag:b,3,10.10.0.1']))
  })
  after(async () => {
    for (const daemon of daemons) process.kill(daemon.pid, 'SIGKILL')
    await Promise.all(daemons.map(daemon => daemon.exited))
    await exec('ip', ['netns', 'del', netns])
  })
  const serve = async (answers: Record<string, string>, broken: number): Promise<Detached> => {
    const daemon = await spawnDetached('ip', ['netns', 'exec', netns, process.execPath, '-e', stub], { stdio: ['ignore', 'ignore', 'pipe'], env: { STUB: JSON.stringify({ answers, broken }) } })
    daemons.push(daemon)
    return daemon
  }
  const stop = async (daemon: Detached): Promise<void> => { daemons.splice(daemons.indexOf(daemon), 1); process.kill(daemon.pid, 'SIGKILL'); await daemon.exited }
  const ssh = async (command: string): Promise<string> =>
    (await exec('ip', ['netns', 'exec', netns, 'ssh', ...sshArgs('debian', '10.9.0.50', 22, command)], { timeoutMs: 60_000 })).stdout.trim()
  const cards = ['-netdev', 'tap,id=n0,ifname=tap0,script=no,downscript=no', '-device', 'virtio-net-pci,netdev=n0,mac=fa:16:3e:00:00:01,romfile=',
    '-netdev', 'tap,id=n1,ifname=tap1,script=no,downscript=no', '-device', 'virtio-net-pci,netdev=n1,mac=fa:16:3e:00:00:02,romfile=']

  test('takes option 121 and the MTU, asks the OpenStack service again until it answers, and needs it no more the next time', async t => {
    const uuid = newId(), root = await disk()
    const service = await serve({ '/openstack/latest/meta_data.json': metaData(uuid, 'over-http.example', await publicKey()), '/openstack/latest/user_data': '#cloud-config\npackages: []\n' }, 3)
    const one = await boot([...root.args, ...cards], { netns, uuid })
    await one.said(/over-http\S* login:/)
    assert.match(one.text(), new RegExp(`datasource=openstack instance=${uuid} hostname=over-http.example`))
    assert.match(one.text(), /#cloud-config, which this small image does not understand/)
    const routes = await ssh('ip route')
    t.diagnostic(routes)
    assert.match(routes, /default via 10\.9\.0\.1 dev eth0/)
    assert.match(routes, /169\.254\.169\.254 via 10\.9\.0\.2 dev eth0/)
    assert.match(routes, /10\.77\.0\.0\/16 via 10\.9\.0\.1 dev eth0/)
    assert.match(routes, /default via 10\.10\.0\.1 dev eth1/)
    assert.equal(await ssh('cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu'), '1400\n1500')
    assert.match(await ssh('ip -4 -o addr show eth1'), /10\.10\.0\.50\/24/)
    assert.equal(await ssh('hostname; cat /etc/resolv.conf'), 'over-http.example\nnameserver 10.9.0.1')
    await one.powerDown()
    await stop(service)
    const two = await boot([...root.args, ...cards], { netns, uuid })
    await two.said(/login:/)
    assert.match(two.text(), /datasource=cached instance=\S+ hostname=over-http.example first=0/)
    assert.equal(hostKeys(two.text()), hostKeys(one.text()))
    await two.powerDown()
    // The same disk as another instance: another identity.
    const other = await serve({ '/openstack/latest/meta_data.json': metaData(newId(), 'a-copy', await publicKey()) }, 0)
    const three = await boot([...root.args, ...cards], { netns, uuid: newId() })
    await three.said(/a-copy login:/)
    assert.notEqual(hostKeys(three.text()), hostKeys(one.text()))
    await three.powerDown()
    await stop(other)
  })

  test('understands EC2\'s format', async () => {
    const root = await disk(), m = '/2009-04-04/meta-data'
    const service = await serve({
      [`${m}/instance-id`]: 'i-0000002a', [`${m}/hostname`]: 'from-ec2', [`${m}/public-keys/`]: '0=my key', [`${m}/public-keys/0/openssh-key`]: await publicKey(), '/2009-04-04/user-data': script,
    }, 0)
    const guest = await boot([...root.args, ...cards], { netns })
    await guest.said(/from-ec2 login:/)
    assert.match(guest.text(), /datasource=ec2 instance=i-0000002a hostname=from-ec2/)
    await guest.said(/USER DATA RAN on from-ec2/)
    assert.equal(await retry(() => ssh('id -un'), { firstMs: 100, maxMs: 1000, attempts: 5 }), 'debian')
    await guest.powerDown()
    await stop(service)
  })
})

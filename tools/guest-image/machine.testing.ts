// A machine to try images on: plain QEMU, its serial line read from the first byte, and a small network with DHCP and a metadata service in a namespace of its own.
import assert from 'node:assert/strict'
import { mkdtemp, readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import type { Detached } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { createOverlay } from '#host/qemu-img.ts'
import { openQmp } from '#host/qmp.ts'
import type { Qmp } from '#host/qmp.ts'
import { connectUnix, listenFor } from '#host/sockets.ts'

export interface Guest {
  qmp: Qmp
  /** Settles as soon as the serial line has shown the pattern. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  text(): string
  cpuSeconds(): Promise<number>
  /** Presses the power button; answers how long it took until the guest was off, in ms. */
  powerDown(): Promise<number>
}

export interface BootOptions { netns?: string, uuid?: string, memoryMib?: number, vcpus?: number }

/** Waits for a process's end. A detached one keeps nobody running, so the test would be over before its clean-up is. */
const ended = async (machine: Detached): Promise<void> => {
  const awake = setInterval(() => {}, 1000)
  await machine.exited
  clearInterval(awake)
}

export class Bench {
  readonly home: string
  readonly key: string
  readonly patienceMs: number
  readonly #running = new Set<Detached>()

  constructor(home: string, patienceMs: number) {
    this.home = home
    this.key = join(home, 'key')
    this.patienceMs = patienceMs
  }

  /** A directory of its own with an ssh key. */
  static async open(patienceMs = 180_000): Promise<Bench> {
    const bench = new Bench(await mkdtemp(join(tmpdir(), 'pileus-guest-')), patienceMs)
    await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', bench.key])
    return bench
  }

  async close(): Promise<void> {
    for (const { pid } of this.#running) process.kill(pid, 'SIGKILL')
    await Promise.all([...this.#running].map(ended))
    await removeTree(this.home)
  }

  async publicKey(): Promise<string> { return (await readFile(`${this.key}.pub`, 'utf8')).trim() }

  sshArgs(user: string, host: string, port: number, command: string): string[] {
    return ['-q', '-i', this.key, '-p', String(port), '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=20', `${user}@${host}`, command]
  }

  /** QEMU's arguments for a new disk over `image`. */
  async disk(image: string, sizeGib: number): Promise<string[]> {
    const path = join(this.home, `${newId()}.qcow2`)
    await createOverlay(path, { path: image, format: 'qcow2' }, sizeGib * 1024 ** 3)
    return ['-drive', `file=${path},if=virtio,format=qcow2`]
  }

  async boot(args: string[], { netns, uuid, memoryMib = 128, vcpus = 1 }: BootOptions = {}): Promise<Guest> {
    const serialPath = join(this.home, `${newId()}.ser`), qmpPath = join(this.home, `${newId()}.qmp`)
    const serial = await listenFor(serialPath), monitor = await listenFor(qmpPath)
    const qemu = ['qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg,tb-size=64', '-cpu', 'Nehalem', '-m', String(memoryMib), '-smp', String(vcpus), '-nodefaults', '-display', 'none',
      '-vga', 'std', '-device', 'virtio-rng-pci', '-chardev', 'socket,id=ser,fd=3,server=on,wait=on', '-serial', 'chardev:ser',
      '-chardev', 'socket,id=mon,fd=4,server=on,wait=off', '-mon', 'chardev=mon,mode=control', ...args]
    if (uuid) qemu.push('-smbios', `type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,uuid=${uuid}`)
    const [command, ...rest] = netns ? ['ip', 'netns', 'exec', netns, ...qemu] : qemu
    const machine = await spawnDetached(command!, rest, { stdio: ['ignore', 'ignore', 'pipe', serial.fd, monitor.fd] })
    this.#running.add(machine)
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
      const timer = setTimeout(() => { over(); reject(new Error(`the guest never said ${pattern}; it said:\n${text.slice(-8000)}\n${machine.stderrTail()}`)) }, this.patienceMs)
      waiting.add(look)
      look()
    })
    const qmp = await openQmp(qmpPath, 60_000)
    const cpuSeconds = async (): Promise<number> => {
      const fields = (await readFile(`/proc/${machine.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100
    }
    const powerDown = async (): Promise<number> => {
      const from = Date.now()
      const off = qmp.event('SHUTDOWN', event => event.event === 'SHUTDOWN', this.patienceMs)
      await qmp.execute('system_powerdown')
      const { data } = await off
      assert.equal(data.reason, 'guest-shutdown')
      const tookMs = Date.now() - from
      await ended(machine)
      this.#running.delete(machine)
      return tookMs
    }
    return { qmp, said, text: () => text, cpuSeconds, powerDown }
  }
}

export const metaData = (uuid: string, hostname: string, publicKey: string): string =>
  JSON.stringify({ uuid, hostname, name: 'a "quoted" näme', public_keys: { 'my key': `${publicKey}\n` }, keys: [{ name: 'my key', type: 'ssh', data: publicKey }], launch_index: 0, meta: {}, devices: [] })

/** Answers what it is told to, after refusing the first `broken` requests: a metadata service that is not up yet. */
const stub = `
  const { answers, broken } = JSON.parse(process.env.STUB); let n = 0
  require('node:http').createServer((q, r) => { const body = n++ < broken ? undefined : answers[q.url]
    r.writeHead(body === undefined ? 404 : 200, { 'content-length': Buffer.byteLength(body ?? '') }).end(body) }).listen(80, '169.254.169.254')`

/** Two networks in a namespace: 10.9.0.0/24 with option 121 and an MTU of 1400 on tap0, 10.10.0.0/24 with a router option on tap1; a guest gets .50 in each. */
export class GuestNetwork {
  readonly netns = `pguest-${newId().slice(0, 8)}`
  readonly #bench: Bench
  readonly #daemons = new Set<Detached>()
  constructor(bench: Bench) { this.#bench = bench }

  readonly cards = [0, 1].flatMap(n => ['-netdev', `tap,id=n${n},ifname=tap${n},script=no,downscript=no`, '-device', `virtio-net-pci,netdev=n${n},mac=fa:16:3e:00:00:0${n + 1},romfile=`])

  async open(): Promise<void> {
    const inside = (...args: string[]): Promise<unknown> => exec('ip', ['-n', this.netns, ...args])
    await exec('ip', ['netns', 'add', this.netns])
    await inside('link', 'set', 'lo', 'up')
    await inside('addr', 'add', '169.254.169.254/32', 'dev', 'lo')
    for (const [tap, net] of [['tap0', '10.9.0'], ['tap1', '10.10.0']] as const) {
      await inside('tuntap', 'add', tap, 'mode', 'tap')
      await inside('addr', 'add', `${net}.1/24`, 'dev', tap)
      await inside('addr', 'add', `${net}.2/24`, 'dev', tap)
      await inside('link', 'set', tap, 'up')
    }
    await this.#daemon({}, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--bind-dynamic', '--no-ping',
      '--interface=tap0', '--interface=tap1', `--dhcp-leasefile=${this.#bench.home}/leases`, '--pid-file=', '--dhcp-range=set:a,10.9.0.50,10.9.0.50', '--dhcp-range=set:b,10.10.0.50,10.10.0.50',
      '--dhcp-option=tag:a,121,0.0.0.0/0,10.9.0.1,169.254.169.254/32,10.9.0.2,10.77.0.0/16,10.9.0.1', '--dhcp-option=tag:a,26,1400', '--dhcp-option=tag:a,6,10.9.0.1', '--dhcp-option=tag:b,3,10.10.0.1')
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons) await this.stop(daemon)
    await exec('ip', ['netns', 'del', this.netns])
  }

  async #daemon(env: Record<string, string>, command: string, ...args: string[]): Promise<Detached> {
    const daemon = await spawnDetached('ip', ['netns', 'exec', this.netns, command, ...args], { env })
    this.#daemons.add(daemon)
    return daemon
  }

  /** A metadata service that gives `answers` by path, and 404 for others and for the first `broken` requests. */
  serve(answers: Record<string, string>, broken = 0): Promise<Detached> { return this.#daemon({ STUB: JSON.stringify({ answers, broken }) }, process.execPath, '-e', stub) }
  async stop(daemon: Detached): Promise<void> { this.#daemons.delete(daemon); process.kill(daemon.pid, 'SIGKILL'); await ended(daemon) }

  async ssh(command: string): Promise<string> {
    return (await exec('ip', ['netns', 'exec', this.netns, 'ssh', ...this.#bench.sshArgs('debian', '10.9.0.50', 22, command)], { timeoutMs: 120_000 })).stdout.trim()
  }
}

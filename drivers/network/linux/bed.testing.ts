// A test's own host (a network and mount namespace), its own cloud on that, and guests that are network namespaces too: each takes a port's device into its own
// and runs real programs on it.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import * as nodeTest from 'node:test'
import { fileURLToPath } from 'node:url'
import { plainContext } from '#base/context.ts'
import { waitFor } from '#base/retry.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import type { ExecResult } from '#host/exec.ts'
import { readText } from '#host/files.ts'
import { ipBatch } from '#host/ip.ts'
import { ensureNetns, execIn, netnsPath, netnsPids, removeNetns, removeNetnsFolder } from '#host/netns.ts'
import { signalProcess } from '#host/processes.ts'
import type { NetworkDriver, PortSpec } from '../contract.ts'
import { createLinuxNetworkDriver } from './driver.ts'
import type { LinuxNetworkConfig } from './config.ts'

const sandboxMark = '/run/pileus-test-host'

type TestFunctions = Pick<typeof nodeTest, 'test' | 'describe' | 'before' | 'after'>

/**
 * Runs this test file again on a host of its own: fresh network, processes and /run. So nothing a test does meets the machine's network, and what the "host"
 * looks like
 * before and after does not depend on who else works on the machine. Answers node:test's functions inside; outside they do nothing, and one test tells what
 * happened inside.
 */
export const onOwnHost = async (file: string): Promise<TestFunctions & { inside: boolean }> => {
  if (await readText(sandboxMark) !== undefined) return { inside: true, ...nodeTest }
  nodeTest.test(`on a host of its own: ${basename(fileURLToPath(file))}`, async t => {
    assert.equal(process.getuid?.(), 0, 'real network tests need root')
    // the shell stays, as it is the process that buries orphans there
    const inside = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && echo > ${sandboxMark} && ip link set lo up && "$@"; exit $?`
    const { code, stdout, stderr } = await exec('unshare', ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child', '--', 'sh', '-c', inside, 'sh', process.execPath, '--test-reporter=spec', fileURLToPath(file)], { okCodes: [0, 1], timeoutMs: 300_000 })
    for (const line of stdout.split('\n').filter(line => /[✔✖﹣]/.test(line))) t.diagnostic(line)
    // A hook that fails outside any test leaves the exit code at 0.
    assert.ok(code === 0 && !stdout.includes('✖'), `${stdout}${stderr}`)
  })
  const nothing = (() => {}) as unknown
  return { inside: false, test: nothing, describe: nothing, before: nothing, after: nothing } as TestFunctions & { inside: boolean }
}

export const newCloudId = (): string => Math.random().toString(36).slice(2, 6).padEnd(4, '0')

/** A folder that goes when the test file is over. */
export const scratchFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'pileus-network-'))
  nodeTest.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const script = `#!/bin/sh
[ "$1" = bound ] || exit 0
env > "$LEASE"
ip address flush dev "$interface" scope global
ip address add "$ip/$mask" dev "$interface"
[ -n "$mtu" ] && ip link set dev "$interface" mtu "$mtu"
set -- $staticroutes
while [ $# -ge 2 ]; do ip route replace "$1" via "$2" dev "$interface" onlink; shift 2; done
`

export class Guest {
  readonly netns: string
  readonly #lease: string
  readonly #script: string
  constructor(netns: string, folder: string) {
    this.netns = netns
    this.#lease = join(folder, `${netns}.lease`)
    this.#script = join(folder, 'udhcpc.sh')
  }

  run(command: string, args: readonly string[], ok: readonly number[] = [0]): Promise<ExecResult> { return execIn(this.netns, command, args, { okCodes: ok }) }
  async ip(...lines: string[]): Promise<void> { await ipBatch(this.netns, lines) }

  /** Gets a lease by DHCP; answers what the client was told, by its names (ip, router, dns, mtu, staticroutes …). Undefined: nobody answered. */
  async dhcp(): Promise<Record<string, string> | undefined> {
    await writeFile(this.#script, script, { mode: 0o755 })
    const { code } = await execIn(this.netns, 'busybox', ['udhcpc', '-f', '-q', '-n', '-t', '3', '-T', '1', '-i', 'eth0', '-s', this.#script, '-O', 'staticroutes', '-O', 'mtu', '-O', 'dns', '-O', 'hostname'], { okCodes: [0, 1], env: { LEASE: this.#lease } })
    if (code !== 0) return undefined
    return Object.fromEntries((await readText(this.#lease) ?? '').split('\n').filter(Boolean).map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  }

  /** Configures what DHCP would. */
  async fixed(address: string, gateway?: string): Promise<void> {
    await this.ip(`address replace ${address} dev eth0`, ...gateway ? [`route replace 0.0.0.0/0 via ${gateway} dev eth0`] : [])
  }

  async pings(address: string, ...options: string[]): Promise<boolean> {
    return (await this.run('busybox', [address.includes(':') ? 'ping6' : 'ping', '-c', '1', '-W', '1', ...options, address], [0, 1])).code === 0
  }

  /** True if a TCP connection to the address comes about and the other side says something. */
  async reaches(address: string, port: number, options = ''): Promise<boolean> {
    const { stdout } = await this.run('socat', ['-u', `TCP:${address.includes(':') ? `[${address}]` : address}:${port},connect-timeout=1${options}`, '-'], [0, 1])
    return stdout.length > 0
  }

  /** Listens and says hello to everyone who connects. */
  async listens(port: number, says = 'hello'): Promise<void> {
    await this.starts('socat', [`TCP6-LISTEN:${port},fork,reuseaddr,ipv6only=0`, `SYSTEM:echo ${says}`])
    await this.#bound(port, 't')
  }

  async starts(command: string, args: readonly string[]): Promise<number> {
    return (await spawnDetached('nsenter', [`--net=${netnsPath(this.netns)}`, '--', command, ...args])).pid
  }

  async #bound(port: number, kind: 't' | 'u'): Promise<void> {
    await waitFor(`port ${port} in ${this.netns}`, async () => (await this.run('ss', [`-Hln${kind}`, `sport = :${port}`])).stdout.trim() !== '' || undefined, 5000)
  }
  async boundUdp(port: number): Promise<void> { await this.#bound(port, 'u') }

  async curl(url: string, ...options: string[]): Promise<string> {
    return (await this.run('curl', ['-s', '--max-time', '3', ...options, url], [0, 6, 7, 28, 52, 56])).stdout
  }
}

export interface Bed {
  cloudId: string
  folder: string
  driver: NetworkDriver
  /** The same cloud by a new driver, as after a restart. */
  reopen(): Promise<NetworkDriver>
  /** A guest on this port: ensures it, takes its device, brings it up. */
  guest(port: PortSpec): Promise<Guest>
  end(): Promise<void>
}

export const ctx = plainContext()

export const makeBed = async (over: Partial<LinuxNetworkConfig> = {}): Promise<Bed> => {
  assert.equal(process.getuid?.(), 0, 'real network tests need root')
  const cloudId = over.cloudId ?? newCloudId(), folder = await mkdtemp(join(tmpdir(), 'pileus-network-'))
  const config: LinuxNetworkConfig = { cloudId, stateDir: join(folder, 'state'), portDevice: 'veth', ...over }
  const guests: string[] = []
  const bed: Bed = {
    cloudId, folder, driver: createLinuxNetworkDriver(config),
    async reopen() {
      await bed.driver.close()
      return bed.driver = createLinuxNetworkDriver(config)
    },
    async guest(port) {
      const netns = `guest-${cloudId}-${guests.length}`
      guests.push(netns)
      const { tap, netns: where } = await bed.driver.ensurePort(ctx, port)
      await ensureNetns(netns)
      await ipBatch(where, [`link set dev ${tap} netns ${netns} name eth0`])
      await ipBatch(netns, ['link set dev lo up', 'link set dev eth0 up'])
      return new Guest(netns, folder)
    },
    async end() {
      for (const netns of guests) {
        for (const pid of await netnsPids(netns)) signalProcess(pid, 'SIGKILL')
        await removeNetns(netns)
      }
      await bed.driver.removeAll(ctx)
      await removeNetnsFolder()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return bed
}

/** Everything on the host that a network driver might touch, as text to compare. */
export const hostPicture = async (): Promise<Record<string, string>> => {
  const of = async (command: string, ...args: string[]): Promise<string> => (await exec(command, args)).stdout
  return {
    links: await of('ip', '-o', 'link'), addresses: await of('ip', '-o', 'address'), routes: await of('ip', 'route', 'show', 'table', 'all'), rules: await of('ip', 'rule'),
    netns: await of('sh', '-c', 'ls -la --time-style=+ /run/netns 2>&1 | tail -n +3; true'), mounts: await of('cat', '/proc/mounts'), run: await of('ls', '/run'), nft: await of('nft', 'list', 'ruleset'),
    sysctls: await of('sh', '-c', 'cd /proc/sys/net && grep -rs . ipv4/ip_forward ipv4/conf ipv6/conf bridge netfilter/nf_conntrack_tcp_loose | sort'),
    daemons: await of('sh', '-c', 'ps ax -o args= | grep ^dnsmasq | sort; true'),
  }
}

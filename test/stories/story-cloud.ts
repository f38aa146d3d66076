// A real cloud as its user has it: `up`, `down` and `destroy` in processes of their own, so that it can be killed. And what the host looks like.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const program = join(import.meta.dirname, '../../bin/pileus.ts')
const exec = promisify(execFile)

export interface Up { endpoint: string, pid: number, cloud_id: string, openrc: string, openrc_admin: string, started_in_ms: number }

/** Runs a program; answers what it printed. */
export const run = async (command: string, args: string[], timeoutMs = 120_000): Promise<string> => (await exec(command, args, { timeout: timeoutMs, maxBuffer: 64 * 1024 ** 2 })).stdout

const pileus = (command: string, stateDir: string, ...args: string[]): Promise<string> =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', program, command, '--state-dir', stateDir, ...args], 300_000)

export interface StoryCloud {
  up(): Promise<Up>
  down(): Promise<void>
  /** No farewell. Answers when the process is gone. */
  kill(pid: number): Promise<void>
  destroy(): Promise<void>
}

export const storyCloud = (stateDir: string, options: string[]): StoryCloud => ({
  up: async () => JSON.parse(await pileus('up', stateDir, '--detach', '--json', ...options)) as Up,
  down: async () => { await pileus('down', stateDir) },
  async kill(pid) {
    process.kill(pid, 'SIGKILL')
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
  },
  destroy: async () => { await pileus('destroy', stateDir, '--yes') },
})

export function isAlive(pid: number): boolean {
  try {
    // A zombie waits for its parent: it runs no more.
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The password in an openrc file. */
export const passwordIn = (openrc: string): string => /OS_PASSWORD='([^']+)'/.exec(readFileSync(openrc, 'utf8'))![1]!

export interface Guest { pid: number, uid: number, commandLine: string, seccomp: number, cgroups: string }

const text = (path: string): string => {
  try { return readFileSync(path, 'utf8') } catch { return '' }
}

/** The QEMU process of a server. */
export function guestOf(serverId: string): Guest | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const commandLine = text(`/proc/${pid}/cmdline`).replaceAll('\0', ' '), status = text(`/proc/${pid}/status`)
    if (!/^\S*qemu-system/.test(commandLine) || !commandLine.includes(serverId)) continue
    return { pid: Number(pid), uid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)![1]), seccomp: Number(/^Seccomp:\t(\d+)/m.exec(status)![1]), commandLine, cgroups: text(`/proc/${pid}/cgroup`) }
  }
  return undefined
}

const cgroupsOf = (dir: string, depth = 0): string[] => {
  try {
    return readdirSync(dir, { withFileTypes: true }).filter((e) => e.isDirectory()).flatMap((e) => [join(dir, e.name), ...(depth < 2 ? cgroupsOf(join(dir, e.name), depth + 1) : [])])
  } catch {
    return []
  }
}

export interface HostState { links: string[], routes: string[], namespaces: string[], rules: string[], sysctls: string[], mounts: string[], cgroups: string[], processes: string[] }

/** What a cloud could leave on a host. Of clouds only this one's things are shown: others on the same host come and go as they like. */
export async function hostState(cloudId?: string): Promise<HostState> {
  const foreign = (name: string): boolean => /^(pl|pileus-)[a-z0-9]{4}/.test(name) && (cloudId === undefined || !name.includes(cloudId))
  const ours = (line: string): boolean => cloudId !== undefined && new RegExp(`(pl|pileus-)${cloudId}`).test(line)
  const links = JSON.parse(await run('ip', ['-j', 'link'])) as { ifname: string, mtu: number, flags: string[] }[]
  const routes = JSON.parse(await run('ip', ['-j', 'route'])) as { dev?: string, dst: string }[]
  return {
    links: links.filter((l) => !foreign(l.ifname)).map((l) => `${l.ifname} ${l.mtu} ${l.flags.join()}`).sort(),
    routes: routes.filter((r) => !foreign(r.dev ?? '')).map((r) => `${r.dst} ${r.dev}`).sort(),
    namespaces: (await run('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]!).filter((name) => name !== '' && !foreign(name)).sort(),
    rules: (await run('nft', ['list', 'ruleset'])).split('\n').filter((line) => !/pl[a-z0-9]{4}/.test(line) || ours(line)),
    sysctls: ['ip_forward', 'conf/all/forwarding', 'conf/all/rp_filter', 'conf/default/rp_filter'].map((name) => `${name} ${text(`/proc/sys/net/ipv4/${name}`).trim()}`),
    mounts: text('/proc/self/mounts').split('\n').filter(ours),
    cgroups: [...new Set(cgroupsOf('/sys/fs/cgroup').filter(ours))],
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')).filter(ours),
  }
}

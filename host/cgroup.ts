// A control group for each guest: limits on memory and processor, and a way to find what belongs to it.
// systemd's machines own their tree, so there a guest gets a scope of its own; elsewhere groups are made directly (version 2, or 1 with a tree a controller).
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isMissing, removeIfEmpty } from './files.ts'

export interface Limits {
  memoryBytes: number
  /** 1 is a whole processor. */
  cpus: number
}

export interface Cgroups {
  readonly kind: 'systemd' | 'v2' | 'v1' | 'none'
  /** The command as it must be started for the group (a scope is made by a command of its own). */
  wrap(group: string, member: string, limits: Limits, command: readonly string[]): readonly string[]
  /** Makes the group with its limits, there already is success. */
  ensure(group: string, member: string, limits: Limits): Promise<void>
  add(group: string, member: string, pid: number): Promise<void>
  /** Removes the group, and its parent when that is empty then. The processes must be gone. */
  remove(group: string, member: string): Promise<void>
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false)
const periodUs = 100_000

const none: Cgroups = { kind: 'none', wrap: (_g, _m, _l, command) => command, ensure: async () => {}, add: async () => {}, remove: async () => {} }

/** Untested where no systemd runs: the scope ends with its last process, so nothing is removed by us. */
const systemd: Cgroups = {
  ...none, kind: 'systemd',
  wrap: (group, member, limits, command) => [
    'systemd-run', '--scope', '--quiet', '--collect', `--unit=${group}-${member}-${Date.now().toString(36)}`, `--slice=${group.replaceAll('-', '_')}.slice`,
    '-p', `MemoryMax=${limits.memoryBytes}`, '-p', `CPUQuota=${Math.round(limits.cpus * 100)}%`, '--', ...command,
  ],
}

/** Removes a directory of a tree; the kernel needs a moment after the last process has died. */
async function removeGroup(path: string): Promise<void> {
  for (let pauseMs = 1; !await removeIfEmpty(path) && pauseMs < 500; pauseMs *= 2) await delay(pauseMs)
}

const direct = (kind: 'v1' | 'v2', roots: readonly string[], limit: (path: string, limits: Limits) => Promise<void>, prepare: (root: string, group: string) => Promise<void>): Cgroups => ({
  kind, wrap: (_g, _m, _l, command) => command,
  async ensure(group, member, limits) {
    await Promise.all(roots.map(async root => {
      const path = join(root, group, member)
      await prepare(root, group)
      // Another guest's removal may take the empty parent away in between.
      for (let tries = 1; ; tries++) {
        try {
          await mkdir(path, { recursive: true })
          break
        } catch (error) {
          if (!isMissing(error) || tries === 5) throw error
        }
      }
      await limit(path, limits)
    }))
  },
  add: async (group, member, pid) => { await Promise.all(roots.map(root => writeFile(join(root, group, member, 'cgroup.procs'), String(pid)))) },
  async remove(group, member) {
    await Promise.all(roots.map(async root => {
      await removeGroup(join(root, group, member))
      await removeIfEmpty(join(root, group)).catch(() => {})
    }))
  },
})

const v1 = (tree: string): Cgroups => direct('v1', [join(tree, 'memory'), join(tree, 'cpu')], async (path, limits) => {
  if (path.startsWith(join(tree, 'memory'))) await writeFile(join(path, 'memory.limit_in_bytes'), String(limits.memoryBytes))
  else {
    await writeFile(join(path, 'cpu.cfs_period_us'), String(periodUs))
    await writeFile(join(path, 'cpu.cfs_quota_us'), String(Math.round(limits.cpus * periodUs)))
  }
}, async () => {})

const v2 = (tree: string): Cgroups => direct('v2', [tree], async (path, limits) => {
  await writeFile(join(path, 'memory.max'), String(limits.memoryBytes))
  await writeFile(join(path, 'cpu.max'), `${Math.round(limits.cpus * periodUs)} ${periodUs}`)
}, async (root, group) => {
  await mkdir(join(root, group), { recursive: true })
  for (const path of [root, join(root, group)]) await writeFile(join(path, 'cgroup.subtree_control'), '+memory +cpu')
})

/** What this host has. A tree we may not write to counts as none: guests then run without limits, which the caller should log. */
export async function detectCgroups(tree = '/sys/fs/cgroup', systemdMark = '/run/systemd/system'): Promise<Cgroups> {
  if (await exists(systemdMark)) return systemd
  const writable = async (groups: Cgroups): Promise<Cgroups> => {
    const probe = `pileus-probe-${process.pid}`
    try {
      await groups.ensure(probe, 'probe', { memoryBytes: 2 ** 30, cpus: 1 })
      return groups
    } catch {
      return none
    } finally {
      await groups.remove(probe, 'probe').catch(() => {})
    }
  }
  const controllers = await readFile(join(tree, 'cgroup.controllers'), 'utf8').catch(() => undefined)
  if (controllers !== undefined) return /\bmemory\b/.test(controllers) && /\bcpu\b/.test(controllers) ? writable(v2(tree)) : none
  if (await exists(join(tree, 'memory', 'cgroup.procs')) && await exists(join(tree, 'cpu', 'cgroup.procs'))) return writable(v1(tree))
  return none
}

// Starts a guest's process and waits until its monitor answers. Independent work goes side by side: this is on the way of every boot.
// Order that matters: what may run is written down before it runs; the process gets its limits at once after it started, before it has read its first byte of disk.
import { chown, lstat, mkdir, open, rename } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnDetached } from '#host/exec.ts'
import type { Detached } from '#host/exec.ts'
import { isExisting, isMissing, removeFile } from '#host/files.ts'
import { bootId, kill, startOf } from '#host/processes.ts'
import { openQmp } from '#host/qmp.ts'
import { listenFor } from '#host/sockets.ts'
import type { Listening } from '#host/sockets.ts'
import { tail } from '#host/exec.ts'
import type { BaseImage } from '../contract.ts'
import { commandLine } from './command-line.ts'
import { startLogKeeper } from './console.ts'
import { failed, groupOf, layout, limitsOf, together } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { writeState } from './records.ts'
import type { Layout, Processes, Shape, State } from './records.ts'

/** Start on a busy host under emulation; a QEMU that has trouble says so and ends long before. */
const startTimeoutMs = 60_000

/**
 * A /dev of its own with what QEMU needs and nothing else, open for its uid: on the host these devices may belong to groups that a guest's uid is not in.
 * Mounts come in from the host (a namespace that the host removes must not be kept alive by our copy) and none goes out.
 */
const jail = `set -e
mount -t tmpfs -o mode=755,nosuid,noexec,size=64k dev /dev
mkdir /dev/net
mknod -m 666 /dev/null c 1 3
mknod -m 444 /dev/urandom c 1 9
mknod -m 666 /dev/net/tun c 10 200
[ "$1" != kvm ] || mknod -m 666 /dev/kvm c 10 232
shift
ulimit -c 0
exec "$@"`

function wrapped(m: Machine, id: string, uid: number, shape: Shape, netns: string | undefined, args: readonly string[]): readonly string[] {
  return m.cgroups.wrap(groupOf(m), id, limitsOf(m, shape), [
    ...(netns === undefined ? [] : ['nsenter', `--net=/run/netns/${netns}`, '--']),
    'unshare', '--mount', '--propagation', 'slave', '--', 'sh', '-c', jail, 'pileus', m.settings.accel,
    'setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--', m.settings.binary, ...args,
  ])
}

async function workingDirectory(at: Layout, uid: number): Promise<void> {
  await mkdir(at.run, { mode: 0o700 }).catch(error => { if (!isExisting(error)) throw error })
  await chown(at.run, uid, uid)
  await removeFile(join(at.run, 'vnc.sock'))
}

/** QEMU binds its graphical console in the one directory it may write to. From there it could be exchanged for a link to another guest's, so it moves to ours. */
async function takeVnc(at: Layout, uid: number): Promise<void> {
  await removeFile(at.vnc)
  try {
    await rename(join(at.run, 'vnc.sock'), at.vnc)
    const found = await lstat(at.vnc)
    if (!found.isSocket() || found.uid !== uid) await removeFile(at.vnc)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

const listen = async (path: string, into: Listening[]): Promise<number> => {
  const socket = await listenFor(path)
  into.push(socket)
  return socket.fd
}

export interface Launch { id: string, uid: number, shape: Shape, base: BaseImage, incoming: boolean, state: State }

/** The process runs and answers (a new guest runs its first instructions; with `incoming` it waits for its memory). A start that fails leaves no process. */
export async function launch(m: Machine, { id, uid, shape, base, incoming, state }: Launch): Promise<Live> {
  const at = layout(m, id), group = groupOf(m)
  const netns = sharedNamespace(shape)
  const opened: FileHandle[] = []
  const use = async (path: string, flags: string): Promise<number> => {
    const file = await open(path, flags)
    opened.push(file)
    return file.fd
  }
  let child: Detached | undefined
  const processes: Partial<Processes> = {}
  try {
    const sockets: Listening[] = []
    try {
      const [qmp, serial, log, disk, diskReadOnly, baseFd, configDrive, memory] = await together([
        listen(at.qmp, sockets), listen(at.serial, sockets),
        startLogKeeper(at.log, m.settings.uidBase, m.settings.consoleBytes).then(log => { opened.push(log.into); processes.logKeeper = log.process; return log.into.fd }),
        use(at.disk, 'r+'), use(at.disk, 'r'), use(base.path, 'r').catch(error => { throw isMissing(error) ? failed('The image of the instance is not in the host\'s cache', base.path, error) : error }), shape.configDrive ? use(at.configDrive, 'r') : undefined, incoming ? use(at.memory, 'r') : undefined,
        workingDirectory(at, uid), m.cgroups.ensure(group, id, limitsOf(m, shape)), bootId(),
      ])
      const stdio = ['ignore', 'ignore', 'pipe', qmp, serial, log, disk, diskReadOnly, baseFd, configDrive ?? 'ignore', memory ?? 'ignore'] as const
      const fds = { qmp: 3, serial: 4, log: 5, disk: 6, diskReadOnly: 7, base: 8, ...(configDrive !== undefined && { configDrive: 9 }) } // then memoryFd
      const [program, ...args] = wrapped(m, id, uid, shape, netns, commandLine({ shape, id, settings: m.settings, fds, base, incoming }))
      child = await spawnDetached(program as string, args, { stdio: [...stdio], cwd: at.run })
    } finally {
      await Promise.all([...sockets.map(socket => socket.release()), ...opened.map(file => file.close())])
    }
    return await answering(m, { id, uid, shape, base, incoming, state }, child, processes)
  } catch (error) {
    if (child) await kill({ pid: child.pid, startTicks: await startOf(child.pid) ?? -1 })
    if (processes.logKeeper) await kill(processes.logKeeper)
    throw error
  }
}

async function answering(m: Machine, { id, uid, shape, state }: Launch, child: Detached, processes: Partial<Processes>): Promise<Live> {
  const at = layout(m, id)
  const died = child.exited.then(({ code, signal }) => {
    throw failed('The hypervisor could not start the instance', tail(child.stderrTail() || `QEMU ended with ${signal ?? `exit code ${code}`}`))
  })
  died.catch(() => {})
  processes.qemu = { pid: child.pid, startTicks: await startOf(child.pid) ?? -1 }
  const grouped = Promise.all([child.pid, ...(processes.logKeeper ? [processes.logKeeper.pid] : [])].map(pid => m.cgroups.add(groupOf(m), id, pid)))
    .catch(error => m.log.warn({ instance: id, error: String(error) }, 'a guest runs without its limits'))
  const recorded = bootId().then(boot => writeState(at, { ...state, boot, process: processes as Processes, shape }))
  const answers = openQmp(at.qmp, startTimeoutMs)
  answers.catch(() => {})
  // A process that dies closes its monitor too; its last words say more, so they are waited for.
  const qmp = await Promise.race([answers.catch(async error => { await Promise.race([died, new Promise(resolve => setTimeout(resolve, 1000))]); throw error }), died])
  try {
    await Promise.all([grouped, recorded, takeVnc(at, uid)])
  } catch (error) {
    qmp.close()
    throw error
  }
  return {
    id, qmp, processes: processes as Processes, shape, power: 'running', hurry: new AbortController(),
    lastWords: () => tail(child.stderrTail(), 500),
  }
}

/** The one network namespace of all cards; undefined is the host's own. */
function sharedNamespace(shape: Shape): string | undefined {
  const names = new Set(shape.cards.map(card => card.device.netns))
  if (names.size > 1) throw failed('The network cards of an instance must lie in one network namespace', [...names].join(', '))
  const [name] = names
  if (name !== undefined && !/^[\w.-]+$/.test(name)) throw failed('The network namespace has no valid name', name)
  return name
}

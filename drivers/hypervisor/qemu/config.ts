// The qemu driver's configuration, and what it makes of it on this host.
import { access, constants, stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { KIB } from '#base/units.ts'

export type Accel = 'kvm' | 'tcg'

export interface QemuConfig {
  /** A directory of this driver's own. Need not be reachable for the guests' uids. */
  stateDir: string
  /** Four characters that mark everything of this cloud on the host: process names, control groups. */
  cloudId: string
  /** Absent: KVM if this host has it, else TCG (emulation). */
  accel?: Accel
  /** QEMU's name of a processor model. Absent: `host` for KVM, Nehalem for TCG (more features only make emulation slower). */
  cpuModel?: string
  /** Guests run as uids from `uidBase` on, `uidCount` of them; no such users need exist. Absent: a range of 4096 derived from the cloud's id. */
  uidBase?: number
  uidCount?: number
  maxVcpus?: number
  /** Serial output kept, bytes a guest. 1 MiB unless told. */
  consoleBytes?: number
  /** Sockets for cards and disks plugged into a running guest. 8 unless told. */
  hotplugPorts?: number
  /** The program. `qemu-system-x86_64` unless told. */
  binary?: string
}

export type Settings = Required<QemuConfig>

/** KVM counts only where the processor's own module is there and /dev/kvm opens: a device alone may belong to something else. */
export async function detectAccel(): Promise<Accel> {
  const modules = await Promise.all(['kvm_intel', 'kvm_amd'].map(name => stat(`/sys/module/${name}`).then(() => true, () => false)))
  if (!modules.includes(true)) return 'tcg'
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(() => 'kvm', () => 'tcg')
}

/** Ranges far above what systems give to users; two clouds on one host differ unless their ids collide in 1 of 10,000 cases. */
export const defaultUidBase = (cloudId: string): number => 100_000_000 + createHash('sha256').update(cloudId).digest().readUInt32BE(0) % 10_000 * 4096

export async function settle(config: QemuConfig): Promise<Settings> {
  if (!/^[a-z0-9]{1,8}$/.test(config.cloudId)) throw new Error('cloudId must be up to 8 lower-case letters and digits')
  const accel = config.accel ?? await detectAccel()
  return {
    stateDir: config.stateDir, cloudId: config.cloudId, accel,
    cpuModel: config.cpuModel ?? (accel === 'kvm' ? 'host' : 'Nehalem'),
    uidBase: config.uidBase ?? defaultUidBase(config.cloudId), uidCount: config.uidCount ?? 4096,
    maxVcpus: config.maxVcpus ?? 240, consoleBytes: config.consoleBytes ?? 1024 * KIB,
    hotplugPorts: config.hotplugPorts ?? 8, binary: config.binary ?? 'qemu-system-x86_64',
  }
}

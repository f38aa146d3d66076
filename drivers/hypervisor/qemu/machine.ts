// What the verbs of this driver share: the settings, who runs, and the handle on a running guest.
import type { Log } from '#base/context.ts'
import { silentLog } from '#base/context.ts'
import type { Serial } from '#base/serial.ts'
import { Fault } from '#base/errors.ts'
import type { Cgroups, Limits } from '#host/cgroup.ts'
import { MIB } from '#base/units.ts'
import type { Qmp } from '#host/qmp.ts'
import type { Power, Seen } from '../contract.ts'
import type { Settings } from './config.ts'
import { layoutOf } from './records.ts'
import type { Layout, Processes, Shape } from './records.ts'
import type { Uids } from './uids.ts'

export interface Machine {
  readonly settings: Settings
  readonly cgroups: Cgroups
  readonly uids: Uids
  /** Guests with a process and an open monitor. */
  readonly live: Map<string, Live>
  /** Everything done to one instance is done one after the other. */
  readonly serial: Serial
  readonly report: (seen: Seen) => void
  log: Log
  closing: boolean
}

export interface Live {
  readonly id: string
  readonly qmp: Qmp
  readonly processes: Processes
  readonly shape: Shape
  power: Power
  reason?: string
  /** Aborted when somebody wants the instance gone: a patient shutdown then ends at once. */
  readonly hurry: AbortController
  /** What is known of how the process ended, if it is our child. */
  lastWords?: () => string
}

export const layout = (m: Machine, id: string): Layout => layoutOf(m.settings.stateDir, id)

export const groupOf = (m: Machine): string => `pileus-${m.settings.cloudId}`

/** QEMU itself needs some beside the guest's memory: devices, video memory, the emulator's translated code. More than that is a guest gone wild. */
export const limitsOf = (m: Machine, shape: Pick<Shape, 'vcpus' | 'memoryMib'>): Limits =>
  ({ memoryBytes: (Math.ceil(shape.memoryMib * 1.02) + 192 + (m.settings.accel === 'tcg' ? 192 : 0)) * MIB, cpus: shape.vcpus + 0.25 })

/** A failed start and the like: the reason is for administrators, it may name files of the host. */
export const failed = (what: string, detail: string, cause?: unknown): Fault =>
  new Fault('unavailable', what, { adminDetail: detail || undefined, cause: cause ?? (detail ? new Error(detail) : undefined) })

/** All of them at once; when one fails the others are awaited all the same, so that nothing goes on being made behind a failure. Throws the first one's error. */
export async function together<T extends readonly unknown[]>(work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(work)
  const broken = settled.find(part => part.status === 'rejected')
  if (broken?.status === 'rejected') throw broken.reason
  return settled.map(part => (part as PromiseFulfilledResult<unknown>).value) as { -readonly [K in keyof T]: Awaited<T[K]> }
}

export const quiet = silentLog

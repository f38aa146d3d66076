// What the API asks of those who make, change and remove guests: sagas and agents. Types only; the conductor implements it.
import type { Context } from '#base/context.ts'
import type { ComputeTx } from './deps.ts'
import type { FlavorSnapshot, ServerRow } from './schema.ts'

export type PowerAction = 'start' | 'stop' | 'soft-reboot' | 'hard-reboot' | 'pause' | 'unpause' | 'suspend' | 'resume'

export interface Lifecycle {
  /** Starts the build saga in `tx`; the server's row stands already (building, scheduling). Every id was minted before. */
  build(tx: ComputeTx, ctx: Context, plan: BuildPlan): Promise<void>
  /** DELETE: pre-empts a running build; repeatable. The row is marked `deleting` by this call. */
  remove(tx: ComputeTx, ctx: Context, server: ServerRow): Promise<void>
  /** Sets task_state by compare-and-set on the row as it was read (a lost race is a Conflict) and casts to the host's agent. */
  power(tx: ComputeTx, ctx: Context, server: ServerRow, change: PowerAction): Promise<void>
  /** The last `lines` of the serial console; all that is kept when not said. */
  consoleLog(ctx: Context, server: ServerRow, lines?: number): Promise<string>
}

/** One network card, in the order asked for. */
export interface PlannedNic {
  /** Minted for a port that is to be made, or the port the user brought. */
  portId: string
  networkId: string
  /** An address asked for; only for ports that are to be made. */
  fixedIp?: string
  /** The user's port is bound and unbound, never deleted. */
  userOwned: boolean
  /** The device tag guests see in their metadata. */
  tag?: string
}

/** What was asked for, as ids and plain values. */
export interface BuildPlan {
  serverId: string
  projectId: string
  userId: string
  flavor: FlavorSnapshot
  /** Absent: boots without an image. */
  imageId?: string
  nics: PlannedNic[]
  /** For ports that are made here; ids. Empty: the network service's default group. */
  securityGroupIds: string[]
  keyName?: string
  availabilityZone?: string
  /** Administrators may name the host and its node. `forced` skips filters other than existence (the az:host:node form). */
  host?: string
  hypervisorHostname?: string
  forced?: boolean
  group?: { id: string, policy: 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity', maxServerPerHost?: number }
  /** As on the wire, `group` left out. */
  schedulerHints: Record<string, unknown>
  configDrive: boolean
  /** Kept sealed and erased when the saga ends. User data also lies in computeServerUserData for the metadata service. */
  secrets: { adminPassword?: string, userData?: string }
}

// What scheduler, conductor and compute agents say to each other. Ids only: secrets never go over the bus.
import { call, cast, contract } from '#kit/bus/contract.ts'
import type { FaultRecord } from '#base/errors.ts'
import type { HostFacts, Power, PowerChange } from '#drivers/hypervisor/contract.ts'
import type { PowerAction } from './lifecycle.ts'
import type { FlavorSnapshot } from './schema.ts'

/** Every command says which server, and the epoch it was given in: an agent refuses what is older than what it has seen. */
export interface Command { serverId: string, epoch: number, replyTo: string }

/** `generation` is the record's when the change was asked for: the answer only counts while it still is. */
export interface PowerCommand { serverId: string, generation: number, action: PowerAction, change: PowerChange }

/** Addressed to one host. */
export const computeAgentBus = contract('compute-agent', {
  ensure: cast<Command>(),
  remove: cast<Command>(),
  power: cast<PowerCommand>(),
  consoleLog: call<{ serverId: string, maxBytes: number }, { base64: string }>(),
})

/** Everything the host needs to build the guest; what image and network know, the agent asks them. */
export interface InstanceInfo {
  serverId: string
  /** nova's `instance-0000002a`. */
  name: string
  projectId: string
  userId: string
  flavor: FlavorSnapshot
  imageId: string | null
  /** In the order of the guest's cards. */
  nics: { portId: string, networkId: string }[]
  /** Path → bytes in base64; absent when the server has no config drive. */
  configDrive?: Record<string, string>
}

export interface Done { serverId: string, epoch: number, command: 'ensure' | 'remove', fault?: FaultRecord }

/** What the metadata service shows a guest: a tree as the paths below 169.254.169.254 name it. Absent: no such guest. */
export interface GuestMetadata { files: Record<string, string> }

/** Why a guest that should be on a host is reported although it is not there. */
export const lostReason = 'not found on its host'

export const conductorBus = contract('conductor', {
  instanceInfo: call<{ serverId: string, host: string }, InstanceInfo>(),
  /** By the port the request came from; see NetworkDriver.serveMetadata. */
  metadata: call<{ networkId: string, portId: string }, GuestMetadata | null>(),
  /** A host makes itself known, or says that it is still there. Answers the guests that should be on it. */
  hostReport: call<{ host: string, hostIp: string, facts: HostFacts, /** When the machine started. */ bootedAt?: string }, { serverIds: string[] }>(),
  heartbeat: call<{ hosts: string[] }, { known: boolean }>(),
  /** What a host sees of its guests; an unknown one is reported to the operator, never removed. */
  observed: cast<{ host: string, seen: { serverId: string, power: Power, reason?: string }[] }>(),
  powerDone: cast<{ serverId: string, generation: number, action: PowerAction, host: string, power?: Power, fault?: FaultRecord }>(),
  /** Addressed to the conductor that gave the command. */
  done: cast<Done>(),
})

export interface SelectRequest {
  serverId: string
  projectId: string
  userId: string
  flavor: FlavorSnapshot
  imageId?: string
  availabilityZone?: string
  host?: string
  hypervisorHostname?: string
  forced?: boolean
  group?: { id: string, policy: string, maxServerPerHost?: number }
  schedulerHints: Record<string, unknown>
  /** Hosts tried already. */
  exclude: string[]
}
export interface SelectReply { host: string, node: string, providerId: string }

/** `select` answers a host whose resources are claimed for the server, or throws "No valid host" with each filter's count. */
export const schedulerBus = contract('scheduler', { select: call<SelectRequest, SelectReply>() })

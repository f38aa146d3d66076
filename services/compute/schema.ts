// Compute's tables as code sees them. Every row has one writer: compute's API, sagas and the reporter of what nodes observe.
import type { Flag } from '#kit/store/store.ts'

export interface ComputeTables {
  computeServers: ServerRow
  computeServerFaults: ServerFaultRow
  computeServerMetadata: { serverId: string, key: string, value: string }
  computeServerTags: { serverId: string, tag: string }
  computeServerUserData: { serverId: string, userData: string }
  /** JSON of `{ path, contents }`, base64; only while the guest is being built. */
  computeServerFiles: { serverId: string, files: string }
  computeServerNics: ServerNicRow
  computeInstances: InstanceRow
  computeActions: ActionRow
  computeActionEvents: ActionEventRow
  computeFlavors: FlavorRow
  computeFlavorExtraSpecs: { flavorId: string, key: string, value: string }
  computeFlavorAccess: { flavorId: string, projectId: string }
  computeKeypairs: KeypairRow
  computeQuotas: QuotaRow
  computeHosts: HostRow
  computeServices: ServiceRow
  computeAggregates: AggregateRow
  computeAggregateHosts: { aggregateId: number, host: string }
  computeAggregateMetadata: { aggregateId: number, key: string, value: string }
  computeServerGroups: ServerGroupRow
  computeServerGroupMembers: { groupId: string, serverId: string }
}

/** nova's vm_state: what the user's record has come to. What can be done in each is in servers/state.ts. */
export type VmState = 'building' | 'active' | 'paused' | 'suspended' | 'stopped' | 'error' | 'deleted'
/** nova's task_state: what is under way; null when nothing is. */
export type TaskState =
  | 'scheduling' | 'block_device_mapping' | 'networking' | 'spawning'
  | 'powering-off' | 'powering-on' | 'rebooting' | 'reboot_started' | 'rebooting_hard' | 'reboot_started_hard'
  | 'pausing' | 'unpausing' | 'suspending' | 'resuming' | 'deleting'

export interface ServerRow {
  id: string
  /** Counts servers; nova's `instance-0000002a` names are made of it. */
  number: number
  projectId: string
  userId: string
  name: string
  hostname: string
  description: string | null
  /** Null: no image (boot from volume). */
  imageId: string | null
  keyName: string | null
  /** The public key as it was at creation: the keypair may be deleted meanwhile. */
  keyData: string | null
  flavorId: string
  /** JSON of FlavorSnapshot: what the flavor was when the server was made. */
  flavor: string
  vcpus: number
  memoryMib: number
  reservationId: string
  launchIndex: number
  vmState: VmState
  taskState: TaskState | null
  progress: number
  /** Grows with each change of state; moves compare it. */
  generation: number
  host: string | null
  node: string | null
  /** What the user asked for; where it is, its host's aggregates say. */
  requestedAz: string | null
  configDrive: Flag
  lockedBy: 'owner' | 'admin' | null
  lockedReason: string | null
  accessIpV4: string | null
  accessIpV6: string | null
  diskConfig: 'AUTO' | 'MANUAL'
  rootDeviceName: string
  /** JSON: names of the security groups asked for, shown until the ports are there. */
  securityGroups: string
  createdAt: string
  updatedAt: string
  launchedAt: string | null
  terminatedAt: string | null
  /** Set: the row is history, seen by administrators only, and counts for no quota. */
  deletedAt: string | null
}

/** The flavor as the server keeps it, in JSON. */
export interface FlavorSnapshot {
  /** The flavor's public id ("flavorid" in nova). */
  id: string
  name: string
  vcpus: number
  memoryMib: number
  diskGib: number
  ephemeralGib: number
  swapMib: number
  rxtxFactor: number
  extraSpecs: Record<string, string>
}

export interface ServerFaultRow {
  serverId: string
  code: number
  message: string
  /** For administrators. */
  details: string | null
  createdAt: string
}

/** A card the server was planned with; `userOwned`: the port is the user's own, to be unbound and never deleted. */
export interface ServerNicRow { serverId: string, position: number, portId: string, networkId: string, userOwned: Flag, tag: string | null }

/** What the host last said of the guest; written only from that host's reports. */
export interface InstanceRow {
  serverId: string
  host: string
  power: 'running' | 'paused' | 'suspended' | 'shutdown' | 'crashed'
  observedAt: string
}

export interface ActionRow {
  id: string
  serverId: string
  requestId: string
  action: string
  userId: string
  projectId: string
  startedAt: string
  updatedAt: string
  /** `Error` when it failed. */
  message: string | null
}
export interface ActionEventRow {
  id: string
  actionId: string
  event: string
  startedAt: string
  finishedAt: string | null
  result: 'Success' | 'Error' | null
  host: string | null
  details: string | null
}

export interface FlavorRow {
  id: string
  name: string
  vcpus: number
  memoryMib: number
  diskGib: number
  ephemeralGib: number
  swapMib: number
  rxtxFactor: number
  isPublic: Flag
  disabled: Flag
  description: string | null
  createdAt: string
  updatedAt: string | null
}

export interface KeypairRow {
  userId: string
  name: string
  number: number
  type: 'ssh' | 'x509'
  publicKey: string
  fingerprint: string
  createdAt: string
}

/** A limit that differs from the default. userId '' is the project's own. */
export interface QuotaRow { projectId: string, userId: string, resource: string, hardLimit: number }

/** A hypervisor: what its agent said of the host. */
export interface HostRow {
  /** The host's name, also its node's. */
  host: string
  /** The hypervisor's and the resource provider's id. */
  id: string
  number: number
  hypervisorType: string
  hypervisorVersion: number
  hostIp: string
  vcpus: number
  memoryMib: number
  diskGib: number
  /** JSON as in HostFacts.cpuInfo. */
  cpuInfo: string
  /** JSON list of traits. */
  traits: string
  bootedAt: string | null
  reportedAt: string
}

/** A process of ours that reports: nova-compute on each host, nova-scheduler, nova-conductor. */
export interface ServiceRow {
  id: string
  number: number
  host: string
  binary: string
  disabled: Flag
  disabledReason: string | null
  forcedDown: Flag
  reportedAt: string
  updatedAt: string
}

export interface AggregateRow { id: number, uuid: string, name: string, createdAt: string, updatedAt: string | null }

export interface ServerGroupRow {
  id: string
  projectId: string
  userId: string
  name: string
  policy: 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity'
  /** JSON; max_server_per_host for anti-affinity. */
  rules: string
  createdAt: string
}

// What a hypervisor driver must do: a small required core, and optional ability objects whose presence is the ability.
import type { Context } from '#base/context.ts'

/** A file in the node's image cache, with its format stated by the image service and never probed. */
export interface BaseImage { path: string, format: 'raw' | 'qcow2' }

export interface Nic {
  portId: string
  mac: string
  mtu: number
  /** What the network driver made: the tap, and the network namespace it lives in (absent: the host's own). */
  device: { tap: string, netns?: string }
}

/**
 * Everything a driver needs to make an instance. Ids are minted by the caller; `ensure` with an equal spec changes nothing. A changed spec is kept and counts
 * from the next start on; the disk is never made anew. All cards of an instance lie in one network namespace.
 */
export interface InstanceSpec {
  id: string
  /** Shown in the host's process list. */
  name: string
  vcpus: number
  memoryMib: number
  /** sizeGib 0: as large as the image. */
  rootDisk: { base: BaseImage, sizeGib: number }
  nics: Nic[]
  /** Paths inside the config drive (label `config-2`) and their bytes, base64. Absent: no config drive. */
  configDrive?: Record<string, string>
  /** SMBIOS type 1: cloud-init finds its data source by these. `uuid` is the server's id. */
  smbios: { manufacturer: string, product: string, version: string, serial: string, uuid: string, family: string }
}

/** paused and suspended both keep what the guest had in memory; suspended has saved it to disk, gives the host's memory back and outlives a restart of the host. */
export type Power = 'running' | 'paused' | 'suspended' | 'shutdown' | 'crashed'
export interface Seen { id: string, power: Power, reason?: string }

export interface HostFacts {
  hypervisorType: string
  hypervisorVersion: number
  vcpus: number
  memoryMib: number
  diskGib: number
  cpuInfo: { arch: string, model: string, vendor: string, features: string[], topology: { sockets: number, cores: number, threads: number } }
  /** Placement traits, e.g. COMPUTE_NET_ATTACH_INTERFACE. */
  traits: string[]
}

export type PowerChange =
  | { to: 'on' }
  /** ACPI power button, then the plug after `graceMs`. */
  | { to: 'off', graceMs: number }
  /** ACPI shutdown and start again (soft), or a reset at once (hard). */
  | { to: 'reboot', hard: boolean, graceMs: number }
  | { to: 'pause' } | { to: 'unpause' } | { to: 'suspend' } | { to: 'resume' }

export interface Hypervisor {
  readonly name: string
  inspectHost(ctx: Context): Promise<HostFacts>
  /** Every instance of this cloud on this host, the stopped ones included. Unknown ones are the caller's to report. */
  list(ctx: Context): Promise<Seen[]>
  /**
   * The uid the instance's process runs as (0: the driver has none of its own): chosen at the first question, the same until `remove`. May be asked before
   * `ensure`: the network driver must let that uid, and no other, open the instance's taps.
   */
  ownerUid(ctx: Context, id: string): Promise<number>
  /**
   * Makes the instance exist and run. Adopts what runs already (paused stays paused); starts what is defined but stopped; resumes what is suspended.
   * Throws a Fault that says what failed; what it made so far stays until a repeated `ensure` or `remove`.
   */
  ensure(ctx: Context, spec: InstanceSpec): Promise<void>
  /** Makes it absent, disks included. Not there is success. */
  remove(ctx: Context, id: string): Promise<void>
  /**
   * Changes power; asking for the state it is in is success. NotFound if there is no such instance, Conflict for what the state does not allow
   * (pausing a stopped one). `on` starts a stopped one and leaves a paused or suspended one alone.
   */
  power(ctx: Context, id: string, change: PowerChange): Promise<void>
  /** The last `maxBytes` of the serial console; what is kept is bounded (1 MiB at most). NotFound if there is no such instance. */
  consoleLog(ctx: Context, id: string, maxBytes: number): Promise<Buffer>
  /** Reports what changes by itself (guest shut down, crashed, killed from outside) until the signal aborts. */
  watch(signal: AbortSignal, seen: (change: Seen) => void): void
  /** Lets go of sockets and watchers; instances go on running. */
  close(): Promise<void>

  /** Hot plug of network cards; of an instance that does not run, it counts from the next start on. Both may be repeated. */
  readonly plug?: {
    nic(ctx: Context, id: string, nic: Nic): Promise<void>
    unplugNic(ctx: Context, id: string, portId: string): Promise<void>
  }
  /** A graphical console as a unix socket that speaks RFB. */
  readonly vnc?: { socket(ctx: Context, id: string): Promise<string> }
}

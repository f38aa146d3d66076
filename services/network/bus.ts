// What network and its agents say to each other. Ids and wanted states only: no secrets.
import { call, cast, contract } from '#kit/bus/contract.ts'
import type { AddressGroupSpec, NetworkSpec, PortSpec, RouterSpec } from '#drivers/network/contract.ts'

/** `groups` are security groups as the remote side of rules: who is in them. */
export interface Touched { networks?: string[], groups?: string[], ports?: string[], routers?: string[] }

/** Addressed to one host. */
export const networkAgentBus = contract('network-agent', {
  /** These look different now: ask for their wanted state and apply it. */
  changed: cast<Touched>(),
  /** A guest is about to start: its card is wired when this answers. `ownerUid` may open the tap. */
  plugPort: call<{ portId: string, ownerUid?: number }, Plugged>(),
  /** The guest is gone: its card goes as well. */
  unplugPort: call<{ portId: string }, { removed: true }>(),
})

export interface Plugged {
  /** The device a hypervisor opens. */
  tap: string
  /** The namespace it lies in. */
  netns?: string
  mac: string
  mtu: number
  networkId: string
}

export interface WantedRequest {
  host: string
  ask?: Touched
  /** A full scan: the answer speaks of everything that should be on the host and of everything that is. */
  present?: { networks: string[], groups: string[], ports: string[], routers: string[] }
  /** What stands on the host and is told of by messages when it changes: not answered just because a port or a router that is asked for needs it. */
  stands?: { networks: string[], groups: string[] }
}

export interface WantedPort { spec: PortSpec, mtu: number, /** Has been plugged here before. */ plugged: boolean }
export interface Wanted {
  networks: NetworkSpec[]
  groups: AddressGroupSpec[]
  ports: WantedPort[]
  routers: RouterSpec[]
  /** Known, and not to be on this host (any more). */
  remove: { networks: string[], groups: string[], ports: string[], routers: string[] }
  /** Never heard of: to be reported, left alone. */
  unknown: { networks: string[], ports: string[], routers: string[] }
}

export interface StateReport { id: string, state: 'up' | 'down' | 'error', detail?: string }
export interface HostReport { host: string, networks?: StateReport[], ports?: StateReport[], routers?: StateReport[], floatingIps?: StateReport[] }

export const networkBus = contract('network', {
  wantedState: call<WantedRequest, Wanted>(),
  /** What a host sees; the host's own rows are written from it. */
  report: call<HostReport, { taken: true }>(),
  heartbeat: call<{ host: string, startedAt: string, configurations: Record<string, unknown> }, { known: true }>(),
})

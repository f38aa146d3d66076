// What a network driver must do on one host: make declared networks, ports and routers exist, or not.
// Every `ensure` takes the whole wanted state of one thing and may be repeated with a new state at any time.
// Faults: notFound when a network or group that a port or router needs does not stand, conflict when one is still in use,
// badRequest for a spec that makes no sense, unavailable when the host failed (repeat the call: a half-done `ensure` is healed by the next).
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from '#base/context.ts'

export interface SubnetSpec {
  id: string
  cidr: string
  ipVersion: 4 | 6
  /** Absent: the subnet has no gateway. */
  gatewayIp?: string
  dhcp: boolean
  dnsServers: string[]
  hostRoutes: { destination: string, nexthop: string }[]
}

/** One DHCP and DNS entry: a port's card and its fixed addresses. */
export interface LeaseSpec { portId: string, mac: string, hostname: string, ips: { subnetId: string, address: string }[] }

export interface NetworkSpec {
  id: string
  /** Network identifier on the overlay (VXLAN VNI), unique in the cloud. */
  segmentId: number
  mtu: number
  /** An external (provider) network: reachable from the host through the cloud's one veth. */
  external: boolean
  subnets: SubnetSpec[]
  /** The DHCP port's own card, present when any subnet has dhcp; its addresses serve DHCP, DNS and metadata. */
  dhcpPort?: { portId: string, mac: string, ips: { subnetId: string, address: string }[] }
  leases: LeaseSpec[]
  dnsDomain: string
}

/** A security group rule, compiled. */
export interface FilterRule {
  direction: 'ingress' | 'egress'
  ipVersion: 4 | 6
  /** Absent: any protocol. Names of iptables (tcp, udp, icmp, ipv6-icmp, sctp …) or a number. */
  protocol?: string
  /** tcp/udp: first and last port; icmp: type and code. */
  portMin?: number
  portMax?: number
  /** CIDRs the rule speaks of: sources for ingress, destinations for egress. Absent: any. */
  remote?: string[]
  /** Instead of `remote`: an address group's id. Its members of the rule's IP version are meant, whoever they are at the moment. */
  remoteGroup?: string
}

/** Addresses under a name, for rules that name it: one set however many ports' rules do, so that a new member is one change. */
export interface AddressGroupSpec {
  id: string
  /** Addresses and CIDRs of both IP versions. */
  addresses: string[]
}

export interface PortSpec {
  id: string
  networkId: string
  mac: string
  ips: string[]
  /** Further addresses the guest may use as its own. */
  allowedPairs: { ip: string, mac?: string }[]
  /** False: neither anti-spoofing nor rules. */
  portSecurity: boolean
  rules: FilterRule[]
  adminUp: boolean
  /** The uid that may open the tap. */
  ownerUid: number
}

export interface RouterSpec {
  id: string
  interfaces: { portId: string, networkId: string, mac: string, cidrs: string[] }[]
  /** The way out: an address on an external network. `cidrs` are the router's own addresses there. */
  gateway?: { portId: string, networkId: string, mac: string, cidrs: string[], nextHops: string[], snat: boolean }
  floatingIps: { id: string, address: string, fixedIp: string }[]
  routes: { destination: string, nexthop: string }[]
  adminUp: boolean
}

/** What stands on this host, half-made things included: for comparison with what should. Ids are sorted. */
export interface Present { networks: string[], groups: string[], ports: string[], routers: string[] }

/** The card a request to 169.254.169.254 came from: known by where it arrived, never by a header. */
export interface MetadataCaller { networkId: string, portId: string }
export type MetadataHandler = (caller: MetadataCaller, req: IncomingMessage, res: ServerResponse) => void

/** What a hypervisor plugs in: a network device, and the namespace it lives in (absent: the host's own). */
export interface PortDevice { tap: string, netns?: string }

export interface NetworkDriver {
  readonly name: string
  list(ctx: Context): Promise<Present>
  ensureNetwork(ctx: Context, spec: NetworkSpec): Promise<void>
  /** Ports and routers on it must be gone, else a conflict; not there is success. */
  removeNetwork(ctx: Context, id: string): Promise<void>
  /** Rules that name it follow from the next packet on, also for running connections. */
  ensureGroup(ctx: Context, spec: AddressGroupSpec): Promise<void>
  /** No port's rules may name it, else a conflict; not there is success. */
  removeGroup(ctx: Context, id: string): Promise<void>
  /** The network and the groups that its rules name must stand. No frame passes before the port's rules are in place. Answers the device a hypervisor plugs in. */
  ensurePort(ctx: Context, spec: PortSpec): Promise<PortDevice>
  removePort(ctx: Context, id: string): Promise<void>
  /** The networks must stand. */
  ensureRouter(ctx: Context, spec: RouterSpec): Promise<void>
  removeRouter(ctx: Context, id: string): Promise<void>
  /** Starts answering guests' metadata requests with `handler` (node:http shape). Answers a function that stops it. */
  serveMetadata(ctx: Context, handler: MetadataHandler): Promise<() => Promise<void>>
  /** Lets go of handles; the data plane goes on working. */
  close(): Promise<void>
  /** Removes everything of this cloud from the host, as if it had never been. */
  removeAll(ctx: Context): Promise<void>
}

// Network's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'

export interface NetworkTables {
  networkNetworks: NetworkRow
  networkSubnets: SubnetRow
  networkPorts: PortRow
  networkAddresses: AddressRow
  networkPortGroups: PortGroupRow
  networkRouters: RouterRow
  networkFloatingIps: FloatingIpRow
  networkGroups: GroupRow
  networkRules: RuleRow
  networkTags: TagRow
  networkQuotas: QuotaRow
  networkReports: ReportRow
  networkRemoved: RemovedRow
  networkAgents: AgentRow
}

/** What neutron calls the standard attributes. */
export interface Standard {
  id: string
  /** Empty for ports that belong to nobody: a router's gateway, a floating IP's own. */
  projectId: string
  description: string
  /** One more with every change. */
  revision: number
  createdAt: string
  updatedAt: string
}

export interface NetworkRow extends Standard {
  name: string
  adminStateUp: Flag
  shared: Flag
  external: Flag
  isDefault: Flag
  portSecurityEnabled: Flag
  mtu: number
  networkType: 'vxlan' | 'flat'
  physicalNetwork: string | null
  /** The identifier on the overlay, unique in the cloud; flat networks have one too, which is not shown. */
  segmentId: number
  dnsDomain: string
}

export interface SubnetRow extends Standard {
  networkId: string
  name: string
  ipVersion: number
  cidr: string
  gatewayIp: string | null
  enableDhcp: Flag
  ipv6RaMode: string | null
  ipv6AddressMode: string | null
  /** JSON: string[] */
  dnsNameservers: string
  /** JSON: {destination, nexthop}[] */
  hostRoutes: string
  /** JSON: {start, end}[] */
  allocationPools: string
}

export interface PortRow extends Standard {
  networkId: string
  name: string
  macAddress: string
  adminStateUp: Flag
  deviceId: string
  deviceOwner: string
  /** Where it is bound; empty: nowhere. */
  host: string
  vnicType: string
  /** JSON: what the binder was told (binding:profile). */
  profile: string
  portSecurityEnabled: Flag
  /** JSON: {ip_address, mac_address?}[] */
  allowedAddressPairs: string
  dnsName: string
}

/** A fixed address; one row a network and address, whoever comes first. */
export interface AddressRow {
  networkId: string
  /** The address as fixed-width hexadecimal: sorts and compares on every engine. */
  addressKey: string
  address: string
  subnetId: string
  portId: string
}

export interface PortGroupRow { portId: string, groupId: string }

export interface RouterRow extends Standard {
  name: string
  adminStateUp: Flag
  gatewayPortId: string | null
  gatewayNetworkId: string | null
  enableSnat: Flag
  /** JSON: {destination, nexthop}[] */
  routes: string
}

export interface FloatingIpRow extends Standard {
  floatingNetworkId: string
  floatingPortId: string
  floatingIpAddress: string
  portId: string | null
  fixedIpAddress: string | null
  routerId: string | null
  dnsName: string
  dnsDomain: string
}

export interface GroupRow extends Standard {
  name: string
  /** The project whose default group this is: unique. */
  defaultFor: string | null
}

export interface RuleRow extends Standard {
  groupId: string
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  protocol: string | null
  portRangeMin: number | null
  portRangeMax: number | null
  remoteIpPrefix: string | null
  remoteGroupId: string | null
  /** What makes two rules the same. */
  fingerprint: string
}

export interface TagRow { resourceId: string, tag: string }
export interface QuotaRow { projectId: string, resource: string, amount: number }

export type ReportKind = 'network' | 'port' | 'router' | 'floatingip'
/** What a host says of a thing; written only from that host's reports. */
export interface ReportRow {
  kind: ReportKind
  resourceId: string
  host: string
  state: 'up' | 'down' | 'error'
  /** What the state speaks of: a floating IP's fixed address, a port's owner uid, an error's reason. */
  detail: string
  reportedAt: string
}

/** Remembered as removed: an agent that still has it may take it away. */
export interface RemovedRow { kind: 'network' | 'port' | 'router', resourceId: string, removedAt: string }

export interface AgentRow {
  id: string
  host: string
  agentType: string
  binary: string
  /** JSON */
  configurations: string
  createdAt: string
  startedAt: string
  heartbeatAt: string
}

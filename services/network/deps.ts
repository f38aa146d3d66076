// What network's handlers are handed.
import type { Bus } from '#kit/bus/bus.ts'
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { NetworkTables } from './schema.ts'

export interface NetworkConfig {
  /** The host that serves DHCP, routers and floating IPs. */
  networkHost: string
  /** Identifiers on the overlay, first and last. */
  segments: { first: number, last: number }
  /** Bytes; tenant networks leave room for the overlay's header. */
  tenantMtu: number
  externalMtu: number
  /** Names that provider:physical_network may have. */
  physicalNetworks: string[]
  /** The domain of guests on networks without one of their own. */
  dnsDomain: string
  /** -1: no limit. */
  quotas: Record<QuotaResource, number>
  /** How long an agent may be silent before it counts as down. */
  agentDownMs: number
  availabilityZone: string
}

export const quotaResources = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule'] as const
export type QuotaResource = (typeof quotaResources)[number]

export const defaultConfig: NetworkConfig = {
  networkHost: 'localhost', segments: { first: 1, last: 16_777_215 }, tenantMtu: 1450, externalMtu: 1500, physicalNetworks: ['public'], dnsDomain: 'openstacklocal',
  quotas: { network: 100, subnet: 100, port: 500, router: 10, floatingip: 50, security_group: 10, security_group_rule: 100 },
  agentDownMs: 75_000, availabilityZone: 'nova',
}

export interface Deps {
  store: Store<NetworkTables>
  /** Agents are woken through its outbox. */
  bus: Pick<Bus, 'cast'>
  config: NetworkConfig
}
export type NetworkTx = Tx<NetworkTables>
export const operation = operationsOf<Deps>()

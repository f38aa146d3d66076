// A subnet: a block of addresses on a network.
import * as policy from '../policy.ts'
import { subnetNotFound } from '../faults.ts'
import { networkTarget } from '../networks/noun.ts'
import * as networks from '../networks/store.ts'
import { free, once, readOnly } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import type { SubnetRow } from '../schema.ts'
import * as subnets from './store.ts'
import { subnetViews } from './view.ts'

export interface Pool { start: string, end: string }
export interface Route { destination: string, nexthop: string }
const poolShape = { type: 'object', additionalProperties: false, required: ['start', 'end'], properties: { start: kinds.shapes.ip, end: kinds.shapes.ip } }
export const routeShape = { type: 'object', additionalProperties: false, required: ['destination', 'nexthop'], properties: { destination: { type: 'string', maxLength: 64 }, nexthop: kinds.shapes.ip } }
const ipv6Mode = kinds.choice('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless', null)

export const attributes = {
  ...standardAttributes, ...tagAttributes,
  network_id: once(kinds.uuid, { column: 'networkId', required: true }),
  ip_version: once(kinds.integer(0, 99), { column: 'ipVersion', required: true }),
  cidr: once(kinds.textOrNull(64), { column: 'cidr' }),
  gateway_ip: free(kinds.ipOrNull, { column: 'gatewayIp' }),
  enable_dhcp: free(kinds.boolean, { column: 'enableDhcp', fallback: true }),
  ipv6_ra_mode: once(ipv6Mode, { column: 'ipv6RaMode' }),
  ipv6_address_mode: once(ipv6Mode, { column: 'ipv6AddressMode' }),
  allocation_pools: free(kinds.list<Pool>(poolShape)),
  dns_nameservers: free(kinds.list<string>(kinds.shapes.ip, (list: string[]) => list.map(kinds.address))),
  host_routes: free(kinds.list<Route>(routeShape)),
  // The network's. Nobody is shown it with the subnet, but may ask for it.
  shared: readOnly(kinds.boolean, { filter: true }),
  // There are no subnet pools: only "none" may be asked for.
  subnetpool_id: once(kinds.choice(null)),
} as const

export const subnet: Noun<SubnetRow, typeof attributes> = {
  one: 'subnet', many: 'subnets', path: '/subnets', title: 'Subnet', titles: 'Subnets', table: 'networkSubnets',
  attributes, filters: subnets.filters, visible: subnets.visible, reads: policy.readSubnet, changes: policy.changeOnNetwork, missing: subnetNotFound, quota: 'subnet', view: subnetViews,
  async find(tx, id) {
    const row = await subnets.find(tx, id)
    if (!row) return undefined
    const on = await networks.find(tx, row.networkId)
    return { row, owner: { ...(on && networkTarget(on)), projectId: row.projectId } }
  },
}

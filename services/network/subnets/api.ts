// https://docs.openstack.org/api-ref/network/v2/#subnets
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { flag } from '#kit/store/store.ts'
import type { Context } from '#base/context.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { gatewayInUse, malformed, mtuTooSmall, networkNotFound, subnetInUse } from '../faults.ts'
import { isAuto } from '../ipam/allocate.ts'
import { eui64, formatCidr, formatIp, parseCidr, usable } from '../ipam/ip.ts'
import * as addresses from '../ipam/store.ts'
import { networkTarget } from '../networks/noun.ts'
import * as networks from '../networks/store.ts'
import * as policy from '../policy.ts'
import * as ports from '../ports/store.ts'
import { networkFor } from '../ports/api.ts'
import { removePort } from '../ports/remove.ts'
import type { Values } from '../resource/attributes.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend, forget, touch } from '../resource/store.ts'
import type { NetworkRow, SubnetRow } from '../schema.ts'
import { wakeNetwork } from '../wanted/wake.ts'
import { checkCidr, checkDhcp, checkGateway, checkIpv6Modes, checkNameservers, checkOverlap, checkPools, checkRoutes, leastMtu6 } from './check.ts'
import { settleDhcp } from './dhcp.ts'
import { subnet, type attributes } from './noun.ts'
import * as subnets from './store.ts'

type SubnetValues = Values<typeof attributes>

export const listSubnets = listing(subnet)
export const showSubnet = showing(subnet)

export async function makeSubnet(tx: NetworkTx, ctx: Context, deps: Deps, on: NetworkRow, values: SubnetValues, projectId: string, attempt: number): Promise<SubnetRow> {
  if (!values.cidr) throw malformed('Bad subnets request: a subnetpool must be specified in the absence of a cidr.')
  const cidr = checkCidr(values.cidr, values.ip_version!), dhcp = values.enable_dhcp ?? true
  const gateway = values.gateway_ip === undefined ? formatIp({ version: cidr.version, value: cidr.prefix >= (cidr.version === 4 ? 31 : 127) ? cidr.first : usable(cidr).first }) : values.gateway_ip
  if (cidr.version === 6 && on.mtu < leastMtu6) throw mtuTooSmall(on.id, leastMtu6)
  checkGateway(gateway, cidr)
  checkDhcp(dhcp, cidr)
  checkIpv6Modes(values.ipv6_ra_mode ?? null, values.ipv6_address_mode ?? null, cidr, dhcp)
  checkNameservers(values.dns_nameservers ?? [])
  checkOverlap(cidr, await subnets.ofNetwork(tx, on.id), on.id)
  const at = now()
  const row: SubnetRow = {
    id: newId(), projectId, description: values.description ?? '', revision: 0, createdAt: at, updatedAt: at, networkId: on.id, name: values.name ?? '', ipVersion: cidr.version, cidr: formatCidr(cidr),
    gatewayIp: gateway, enableDhcp: flag(dhcp), ipv6RaMode: values.ipv6_ra_mode ?? null, ipv6AddressMode: values.ipv6_address_mode ?? null,
    dnsNameservers: JSON.stringify(values.dns_nameservers ?? []), hostRoutes: JSON.stringify(checkRoutes(values.host_routes ?? [], 'host_routes', cidr.version)),
    allocationPools: JSON.stringify(checkPools(values.allocation_pools, cidr, gateway)),
  }
  await subnets.add(tx, row)
  // The network's revision keeps two overlapping subnets from being made at once.
  const touched = await touch(tx, 'networkNetworks', on)
  if (isAuto(row)) await addAutoAddresses(tx, row)
  await settleDhcp(tx, ctx, deps, touched, attempt)
  await wakeNetwork(tx, ctx, deps, on.id)
  return row
}

/** Cards that stand already take an address of the new block by themselves. */
async function addAutoAddresses(tx: NetworkTx, row: SubnetRow): Promise<void> {
  const cidr = parseCidr(row.cidr)!
  for (const port of await ports.onNetwork(tx, row.networkId)) {
    if (port.deviceOwner.startsWith('network:')) continue
    await addresses.take(tx, row.networkId, row.id, port.id, [formatIp(eui64(cidr, port.macAddress))])
  }
}

export const createSubnet = creating(subnet, {
  async targetFor(tx, values, ctx) {
    const on = await networkFor(tx, ctx, values.network_id!)
    return networkTarget(on)
  },
  async make(tx, ctx, deps, values, projectId, attempt) {
    const on = await networkFor(tx, ctx, values.network_id!)
    // Subnets are for the network's owner to make; others learn no more than that they cannot.
    if (!policy.adminOrNetworkOwner.allows(ctx.actor, networkTarget(on))) throw networkNotFound(on.id)
    return makeSubnet(tx, ctx, deps, on, values, projectId, attempt)
  },
})

export const updateSubnet = updating(subnet, async (tx, ctx, deps, row, values, _owner, attempt) => {
  const cidr = parseCidr(row.cidr)!, dhcp = values.enable_dhcp ?? row.enableDhcp === 1
  const gateway = Object.hasOwn(values, 'gateway_ip') ? values.gateway_ip! : row.gatewayIp
  if (gateway !== row.gatewayIp) {
    checkGateway(gateway, cidr)
    const user = row.gatewayIp === null ? undefined : await addresses.holder(tx, row.networkId, row.gatewayIp)
    if (user && (await ports.find(tx, user.portId))?.deviceOwner === 'network:router_interface') throw gatewayInUse(row.gatewayIp!, user.portId)
  }
  const asked = values.allocation_pools ?? (JSON.parse(row.allocationPools) as { start: string, end: string }[])
  const pools = values.allocation_pools || gateway !== row.gatewayIp ? checkPools(asked, cidr, gateway) : asked
  if (dhcp && row.enableDhcp === 0) checkDhcp(dhcp, cidr)
  if (!dhcp) checkIpv6Modes(row.ipv6RaMode, row.ipv6AddressMode, cidr, dhcp)
  checkNameservers(values.dns_nameservers ?? [])
  const changed = await amend(tx, 'networkSubnets', row, {
    ...(values.name !== undefined && { name: values.name }), ...(values.description !== undefined && { description: values.description }), gatewayIp: gateway, enableDhcp: flag(dhcp),
    allocationPools: JSON.stringify(pools),
    ...(Object.hasOwn(values, 'dns_nameservers') && { dnsNameservers: JSON.stringify(values.dns_nameservers ?? []) }),
    ...(Object.hasOwn(values, 'host_routes') && { hostRoutes: JSON.stringify(checkRoutes(values.host_routes ?? [], 'host_routes', cidr.version)) }),
  })
  if (dhcp !== (row.enableDhcp === 1)) await settleDhcp(tx, ctx, deps, (await networks.find(tx, row.networkId))!, attempt)
  if (['gateway_ip', 'enable_dhcp', 'dns_nameservers', 'host_routes'].some((name) => Object.hasOwn(values, name))) await wakeNetwork(tx, ctx, deps, row.networkId)
  return changed
})

export const deleteSubnet = deleting(subnet, async (tx, ctx, deps, row) => {
  const holders = await subnets.holders(tx, row.id)
  // DHCP's own port, and addresses that cards gave themselves, do not hold a subnet.
  if (holders.some((h) => h.deviceOwner !== 'network:dhcp' && (!isAuto(row) || h.deviceOwner.startsWith('network:')))) throw subnetInUse(row.id)
  for (const { portId, deviceOwner } of holders) {
    const held = (await addresses.addressesOf(tx, [portId])).get(portId) ?? []
    const port = deviceOwner === 'network:dhcp' && held.every((ip) => ip.subnetId === row.id) ? await ports.find(tx, portId) : undefined
    if (port) await removePort(tx, ctx, deps, port)
    else await addresses.giveBack(tx, portId, held.filter((ip) => ip.subnetId === row.id).map((ip) => ip.address))
  }
  await subnets.remove(tx, row.id)
  await forget(tx, undefined, row.id)
  const on = await networks.find(tx, row.networkId)
  if (on) await touch(tx, 'networkNetworks', on)
  await wakeNetwork(tx, ctx, deps, row.networkId)
})

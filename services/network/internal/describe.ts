// Everything that a server's page and its host need to know of its cards, for many servers with a handful of queries.
import type { NetworkTx } from '../deps.ts'
import * as floatingIps from '../floatingips/store.ts'
import * as addresses from '../ipam/store.ts'
import * as networks from '../networks/store.ts'
import * as ports from '../ports/store.ts'
import { portStatus } from '../ports/view.ts'
import { reportsOn } from '../resource/store.ts'
import type { PortRow, SubnetRow } from '../schema.ts'
import * as groups from '../security-groups/store.ts'
import * as subnets from '../subnets/store.ts'

const subnetView = (row: SubnetRow): object => ({
  id: row.id, name: row.name, cidr: row.cidr, ip_version: Number(row.ipVersion), gateway_ip: row.gatewayIp, enable_dhcp: row.enableDhcp === 1, ipv6_ra_mode: row.ipv6RaMode, ipv6_address_mode: row.ipv6AddressMode,
  dns_nameservers: JSON.parse(row.dnsNameservers) as string[], host_routes: JSON.parse(row.hostRoutes) as object[],
})

/** In the order given. */
export async function describe(tx: NetworkTx, rows: PortRow[]): Promise<object[]> {
  const ids = rows.map((row) => row.id)
  const fixed = await addresses.addressesOf(tx, ids), groupIds = await ports.groupsOf(tx, ids), reports = await reportsOn(tx, 'port', ids)
  const onNetworks = await networks.byIds(tx, rows.map((row) => row.networkId)), onSubnets = await subnets.byIds(tx, [...fixed.values()].flat().map((ip) => ip.subnetId))
  const floating = await floatingIps.ofPorts(tx, ids)
  const named = new Map((await groups.byIds(tx, [...new Set([...groupIds.values()].flat())])).map((g) => [g.id, g]))
  return rows.map((row) => {
    const on = onNetworks.get(row.networkId)
    return {
      id: row.id, name: row.name, project_id: row.projectId, device_id: row.deviceId, device_owner: row.deviceOwner, host: row.host, network_id: row.networkId, network_name: on?.name ?? '',
      mtu: Number(on?.mtu ?? 1500), mac_address: row.macAddress, admin_state_up: row.adminStateUp === 1, status: portStatus(row, reports), port_security_enabled: row.portSecurityEnabled === 1,
      fixed_ips: (fixed.get(row.id) ?? []).map((ip) => ({ ip_address: ip.address, subnet_id: ip.subnetId, ...(onSubnets.has(ip.subnetId) && { subnet: subnetView(onSubnets.get(ip.subnetId)!) }) })),
      floating_ips: floating.filter((f) => f.portId === row.id).map((f) => ({ id: f.id, floating_ip_address: f.floatingIpAddress, fixed_ip_address: f.fixedIpAddress })),
      security_groups: (groupIds.get(row.id) ?? []).map((id) => ({ id, name: named.get(id)?.name ?? '' })), dns_name: row.dnsName,
    }
  })
}

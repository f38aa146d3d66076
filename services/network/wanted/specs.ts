// Rows become what a network driver is told: specs. Pure.
import type { AddressGroupSpec, FilterRule, NetworkSpec, PortSpec, RouterSpec } from '#drivers/network/contract.ts'
import { formatCidr, parseCidr } from '../ipam/ip.ts'
import { hostname } from '../ports/view.ts'
import type { Interface } from '../routers/store.ts'
import type { RuleRow } from '../schema.ts'
import type { NetworkParts, PortParts, RouterParts } from './load.ts'

const ips = (fixed: { subnetId: string, address: string }[] | undefined): { subnetId: string, address: string }[] => (fixed ?? []).map(({ subnetId, address }) => ({ subnetId, address }))

/** DHCP, DNS and metadata are served by the one host that the DHCP port is bound to. */
export function networkSpec({ row, subnets, ports, fixed }: NetworkParts, host: string, dnsDomain: string): NetworkSpec {
  const server = row.adminStateUp === 1 ? ports.find((p) => p.deviceOwner === 'network:dhcp' && p.host === host) : undefined
  return {
    id: row.id, segmentId: Number(row.segmentId), mtu: Number(row.mtu), external: row.external === 1, dnsDomain: (row.dnsDomain || dnsDomain).replace(/\.$/, ''),
    subnets: subnets.map((s) => ({
      id: s.id, cidr: s.cidr, ipVersion: s.ipVersion === 6 ? 6 as const : 4 as const, ...(s.gatewayIp !== null && { gatewayIp: s.gatewayIp }), dhcp: server !== undefined && s.enableDhcp === 1,
      dnsServers: JSON.parse(s.dnsNameservers) as string[], hostRoutes: JSON.parse(s.hostRoutes) as { destination: string, nexthop: string }[],
    })),
    ...(server && { dhcpPort: { portId: server.id, mac: server.macAddress, ips: ips(fixed.get(server.id)) } }),
    leases: server === undefined ? [] : ports.filter((p) => !p.deviceOwner.startsWith('network:')).map((p) => {
      const own = ips(fixed.get(p.id))
      return { portId: p.id, mac: p.macAddress, hostname: hostname(p.dnsName.split('.')[0]!, own[0]?.address ?? p.macAddress), ips: own }
    }),
  }
}

/** A group's members. Sorted, so that the same members are the same spec. */
export const groupSpec = (id: string, members: string[]): AddressGroupSpec => ({ id, addresses: [...new Set(members.map((address) => address.includes('/') ? formatCidr(parseCidr(address)!) : address))].sort() })

/** A rule for the driver. */
export function filterRule(rule: RuleRow): FilterRule {
  const ipVersion = rule.ethertype === 'IPv6' ? 6 : 4
  const number = (value: number | null): number | undefined => value === null ? undefined : Number(value)
  let remote: string[] | undefined
  if (rule.remoteIpPrefix !== null) {
    const cidr = parseCidr(rule.remoteIpPrefix)!
    if (cidr.prefix > 0) remote = [formatCidr(cidr)]
  }
  const portMin = number(rule.portRangeMin), portMax = number(rule.portRangeMax)
  return {
    direction: rule.direction, ipVersion, ...(rule.protocol !== null && { protocol: rule.protocol }), ...(portMin !== undefined && { portMin }), ...(portMax !== undefined && { portMax }), ...(remote && { remote }), ...(rule.remoteGroupId !== null && { remoteGroup: rule.remoteGroupId }),
  }
}

export function portSpec({ row, network, fixed, rules }: PortParts, ownerUid: number): PortSpec {
  const seen = new Set<string>()
  return {
    id: row.id, networkId: row.networkId, mac: row.macAddress, ips: fixed.map((ip) => ip.address),
    allowedPairs: (JSON.parse(row.allowedAddressPairs) as { ip_address: string, mac_address?: string }[]).map((p) => ({ ip: p.ip_address, ...(p.mac_address && { mac: p.mac_address.toLowerCase() }) })),
    portSecurity: row.portSecurityEnabled === 1, adminUp: row.adminStateUp === 1 && network.adminStateUp === 1, ownerUid,
    // Several groups may say the same.
    rules: rules.map(filterRule).filter((rule) => { const key = JSON.stringify(rule); return !seen.has(key) && seen.add(key) }),
  }
}

const cidrsOf = (i: Interface): string[] => i.addresses.map((a) => `${a.address}/${parseCidr(i.subnets.find((s) => s.id === a.subnetId)!.cidr)!.prefix}`)

export function routerSpec({ row, interfaces, gateway, floating }: RouterParts): RouterSpec {
  return {
    id: row.id, adminUp: row.adminStateUp === 1, routes: JSON.parse(row.routes) as RouterSpec['routes'],
    interfaces: interfaces.map((i) => ({ portId: i.port.id, networkId: i.port.networkId, mac: i.port.macAddress, cidrs: cidrsOf(i) })),
    ...(gateway && { gateway: {
      portId: gateway.port.id, networkId: gateway.port.networkId, mac: gateway.port.macAddress, cidrs: cidrsOf(gateway), nextHops: [...new Set(gateway.subnets.flatMap((s) => s.gatewayIp ?? []))], snat: row.enableSnat === 1,
    } }),
    floatingIps: floating.filter((f) => f.fixedIpAddress !== null).map((f) => ({ id: f.id, address: f.floatingIpAddress, fixedIp: f.fixedIpAddress! })),
  }
}

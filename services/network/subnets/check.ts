// What a subnet may look like.
import { gatewayInPool, invalidInput, invalidPool, malformed, poolOutside, poolsOverlap } from '../faults.ts'
import { defaultPools, formatCidr, formatIp, overlap, parseCidr, parseIp, usable, within, type Cidr, type Range } from '../ipam/ip.ts'
import type { SubnetRow } from '../schema.ts'
import type { Pool, Route } from './noun.ts'

/** IPv6 does not work over less. */
export const leastMtu6 = 1280

const mostRoutes = 20, mostNameservers = 5
const multicast4 = parseCidr('224.0.0.0/4')!, loopback4 = parseCidr('127.0.0.0/8')!, multicast6 = parseCidr('ff00::/8')!, linkLocal6 = parseCidr('fe80::/10')!, loopback6 = parseCidr('::1/128')!

/** The block in canonical form, host bits cut off. */
export function checkCidr(text: string, version: number): Cidr {
  if (version !== 4 && version !== 6) throw malformed(`Invalid input for ip_version. Reason: '${version}' is not in [4, 6].`)
  const cidr = text.includes('/') ? parseCidr(text) : undefined
  if (!cidr) throw malformed(`Invalid input for cidr. Reason: '${text.slice(0, 64)}' is not a valid IP subnet.`)
  if (cidr.version !== version) throw invalidInput(`cidr '${text}' does not match the ip_version '${version}'`)
  if ([multicast4, multicast6].some((range) => overlap(range, cidr))) throw invalidInput(`Multicast IP subnet is not supported if enable_dhcp is True`)
  if ([loopback4, loopback6].some((range) => overlap(range, cidr))) throw invalidInput(`Loopback IP subnet is not supported if enable_dhcp is True`)
  return cidr
}

/** A gateway inside the block must be an address that a host can have. */
export function checkGateway(gateway: string | null, cidr: Cidr): void {
  if (gateway === null) return
  const ip = parseIp(gateway)!
  if (ip.version !== cidr.version) throw invalidInput(`gateway_ip '${gateway}' does not match the ip_version '${cidr.version}'`)
  const end = usable(cidr)
  if (within(cidr, ip.value) ? !within({ first: end.first, last: end.last }, ip.value) && !(cidr.version === 6 && ip.value === cidr.first) : cidr.version === 6 && !overlap(linkLocal6, { version: 6, first: ip.value, last: ip.value })) {
    throw invalidInput('Gateway is not valid on subnet')
  }
}

/** Pools in canonical text, sorted. */
export function checkPools(asked: Pool[] | null | undefined, cidr: Cidr, gateway: string | null): Pool[] {
  const gatewayIp = gateway === null ? undefined : parseIp(gateway)!.value
  const text = (r: Range): Pool => ({ start: formatIp({ version: cidr.version, value: r.first }), end: formatIp({ version: cidr.version, value: r.last }) })
  if (!asked) return defaultPools(cidr, gatewayIp).map(text)
  const shown = (r: Range): string => { const p = text(r); return `${p.start}-${p.end}` }
  const pools = asked.map(({ start, end }) => {
    const a = parseIp(start), b = parseIp(end)
    if (!a || !b || a.version !== cidr.version || b.version !== cidr.version || a.value > b.value) throw invalidPool(`${start.slice(0, 64)}-${end.slice(0, 64)}`)
    const range = { first: a.value, last: b.value }, hosts = usable(cidr)
    if (!within(hosts, range.first) || !within(hosts, range.last)) throw poolOutside(shown(range), formatCidr(cidr))
    return range
  }).sort((a, b) => (a.first < b.first ? -1 : 1))
  for (const [i, pool] of pools.entries()) {
    if (i > 0 && overlap(pools[i - 1]!, pool)) throw poolsOverlap(shown(pools[i - 1]!), shown(pool), formatCidr(cidr))
    if (gatewayIp !== undefined && within(pool, gatewayIp)) throw gatewayInPool(gateway!, shown(pool))
  }
  return pools.map(text)
}

export function checkNameservers(servers: string[]): void {
  if (servers.length > mostNameservers) throw invalidInput(`The number of DNS nameservers exceeds the limit ${mostNameservers}`)
  if (new Set(servers).size < servers.length) throw malformed('Invalid input for dns_nameservers. Reason: Duplicate nameserver.')
}

/** Routes that guests (or a router) are told: canonical text. */
export function checkRoutes(routes: Route[], what: string, version?: number): Route[] {
  if (routes.length > mostRoutes) throw invalidInput(`The number of ${what} exceeds the limit ${mostRoutes}`)
  const seen = new Set<string>()
  return routes.map(({ destination, nexthop }) => {
    const cidr = parseCidr(destination), ip = parseIp(nexthop)
    if (!cidr || !ip) throw malformed(`Invalid input for ${what}. Reason: '${(cidr ? nexthop : destination).slice(0, 64)}' is not a valid ${cidr ? 'IP address' : 'IP subnet'}.`)
    if (cidr.version !== ip.version || (version !== undefined && cidr.version !== version)) throw invalidInput(`${what} destination and nexthop must be of the same IP version as the subnet`)
    const route = { destination: formatCidr(cidr), nexthop: formatIp(ip) }
    const key = `${route.destination} ${route.nexthop}`
    if (seen.has(key)) throw malformed(`Invalid input for ${what}. Reason: Duplicate route ${route.destination}.`)
    seen.add(key)
    return route
  })
}

export function checkIpv6Modes(ra: string | null, mode: string | null, cidr: Cidr, dhcp: boolean): void {
  if (ra === null && mode === null) return
  if (cidr.version === 4) throw invalidInput(`${ra === null ? 'ipv6_address_mode' : 'ipv6_ra_mode'} is not valid when ip_version is 4`)
  if (!dhcp) throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (ra !== null && mode !== null && ra !== mode) {
    throw invalidInput(`ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${mode}' is not valid. If both attributes are set, they must be the same value`)
  }
  if ([ra, mode].some((m) => m === 'slaac' || m === 'dhcpv6-stateless') && cidr.prefix !== 64) {
    throw invalidInput(`Invalid CIDR ${formatCidr(cidr)} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`)
  }
}

/** DHCP needs room for its server and somebody to serve. */
export function checkDhcp(dhcp: boolean, cidr: Cidr): void {
  if (dhcp && cidr.prefix > (cidr.version === 4 ? 30 : 126)) throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled')
}

export function checkOverlap(cidr: Cidr, others: SubnetRow[], networkId: string): void {
  if (others.some((other) => overlap(cidr, parseCidr(other.cidr)!))) {
    throw invalidInput(`Requested subnet with cidr: ${formatCidr(cidr)} for network: ${networkId} overlaps with another subnet`)
  }
}

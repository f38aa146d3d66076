// Security groups as nftables text: the two chains of a port, what its guest may start and who may start something with it. Pure text.
//
// The first direction of a connection is judged by the rules packet by packet, and only the replies pass by what the kernel remembers. So a rule that
// is taken away cuts a running connection with its next packet: that packet also marks the connection dead, and its replies stop. Nothing has to search
// the kernel's table of connections. Bit 1 of the mark: refused by its sender's rules, bit 2: by its receiver's.
import { badRequest } from '#base/errors.ts'
import type { FilterRule, PortSpec } from '#drivers/network/contract.ts'
import { formatCidr, mergeCidrs } from './addresses.ts'
import { setNames } from './groups.ts'

/** The protocols neutron knows by name. */
const protocols: Record<string, number> = {
  'ah': 51, 'dccp': 33, 'egp': 8, 'esp': 50, 'gre': 47, 'hopopt': 0, 'icmp': 1, 'icmpv6': 58, 'igmp': 2, 'ipip': 4, 'ipv6-encap': 41, 'ipv6-frag': 44, 'ipv6-icmp': 58,
  'ipv6-nonxt': 59, 'ipv6-opts': 60, 'ipv6-route': 43, 'ospf': 89, 'pgm': 113, 'rsvp': 46, 'sctp': 132, 'tcp': 6, 'udp': 17, 'udplite': 136, 'vrrp': 112,
}
const withPorts = new Set([6, 17, 33, 132, 136])

const protocolNumber = (name: string, ipVersion: 4 | 6): number => {
  const known = protocols[name.toLowerCase()] ?? (/^\d{1,3}$/.test(name) && Number(name) < 256 ? Number(name) : undefined)
  if (known === undefined) throw badRequest(`Unknown protocol: ${name}`)
  return known === 1 && ipVersion === 6 ? 58 : known // "icmp" in an IPv6 rule means ICMPv6
}

const bounded = (value: number, most: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > most) throw badRequest(`Not a port, type or code: ${value}`)
  return value
}

/** Whom a rule speaks of: any of these conditions, none if nobody. */
const remoteMatches = ({ direction, ipVersion, remote, remoteGroup }: FilterRule): string[] => {
  const side = `${ipVersion === 4 ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'}`
  if (remoteGroup !== undefined) {
    if (remote !== undefined) throw badRequest('A rule speaks of addresses or of a group, not of both')
    return Object.values(setNames(remoteGroup, ipVersion)).map(name => ` ${side} @${name}`)
  }
  if (remote === undefined) return ['']
  const ranges = mergeCidrs(remote).filter(cidr => cidr.version === ipVersion)
  return ranges.length === 0 ? [] : ranges[0]?.length === 0 ? [''] : [` ${side} { ${ranges.map(formatCidr).join(', ')} }`]
}

/** One rule's conditions, any of which is enough; none if it can match nothing (remote addresses of the other IP version only). */
export const ruleMatches = (rule: FilterRule): string[] => {
  const about = aboutMatch(rule)
  return remoteMatches(rule).map(remote => `meta nfproto ipv${rule.ipVersion}${remote}${about}`)
}

const aboutMatch = (rule: FilterRule): string => {
  const words = ['']
  const { protocol, portMin, portMax } = rule
  if (protocol === undefined || ['any', 'ip', '0'].includes(protocol.toLowerCase())) return ''
  const number = protocolNumber(protocol, rule.ipVersion)
  words.push(`meta l4proto ${number}`)
  if (number === 1 || number === 58) {
    const word = number === 1 ? 'icmp' : 'icmpv6'
    if (portMin !== undefined) words.push(`${word} type ${bounded(portMin, 255)}`)
    if (portMin !== undefined && portMax !== undefined) words.push(`${word} code ${bounded(portMax, 255)}`)
  } else if (withPorts.has(number) && (portMin !== undefined || portMax !== undefined)) {
    words.push(`th dport ${bounded(portMin ?? 0, 65_535)}-${bounded(portMax ?? 65_535, 65_535)}`)
  }
  return words.join(' ')
}

const matches = (port: PortSpec, direction: FilterRule['direction']): string[] =>
  [...new Set(port.rules.filter(rule => rule.direction === direction).flatMap(ruleMatches))]

/** Replies and errors of what was allowed before, in both chains. A reply of a connection marked dead is refused like any other. */
const remembered = [
  'ct state invalid drop',
  'ct state related accept',
  'ct direction reply ct mark 0x0 accept',
  'ct direction reply drop',
]

/** Before every guest's own rules for what it sends. */
export const commonFromGuestRules = [
  'meta nfproto ipv4 udp sport 68 udp dport 67 accept',
  'meta nfproto ipv6 udp sport 546 udp dport 547 accept',
  'meta nfproto ipv6 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept',
  ...remembered,
]

/**
 * Before every guest's own rules for what reaches it. That DHCP answers and router advertisements come only from those who may give them is the bridge table's
 * rule.
 */
export const commonToGuestRules = [
  'meta nfproto ipv4 udp sport 67 udp dport 68 accept',
  'meta nfproto ipv6 udp sport 547 udp dport 546 accept',
  'meta nfproto ipv6 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept',
  ...remembered,
]

/** What this guest may start. Ends in a verdict. */
export const fromGuestRules = (port: PortSpec): string[] => [...matches(port, 'egress').map(match => `${match} goto allowed_out`), 'goto refused_out']

/** What others may start with this guest. Ends in a verdict. */
export const toGuestRules = (port: PortSpec): string[] => [...matches(port, 'ingress').map(match => `${match} goto allowed_in`), 'goto refused_in']

/** The shared ends of the chains: a connection that is allowed (again) loses its dead mark, one that is refused gets it. */
export const verdictChains = (['out', 'in'] as const).map((way, i) => {
  const bit = 1 << i
  return `chain allowed_${way} {
    ct mark and ${bit} == ${bit} ct mark set ct mark and ${0xffff_ffff - bit}
    accept
  }
  chain refused_${way} {
    ct mark set ct mark or ${bit}
    drop
  }`
}).join('\n  ')

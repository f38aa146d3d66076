// What a guest may claim to be: the rules of nftables' bridge family for frames that come from a port. Stateless, first of all hooks:
// the bridge does not even learn from a frame that is dropped here. Pure text.
import type { PortSpec } from '#drivers/network/contract.ts'
import { formatCidr, lastOf, linkLocalOf, mergeCidrs, plainMac } from './addresses.ts'
import type { Cidr } from './addresses.ts'

interface Claims { v4: Cidr[], v6: Cidr[] }

/** For each MAC that a port may use the addresses it may use with it. An allowed pair without a MAC goes with the port's own. */
export const claimsOf = (port: PortSpec): Map<string, Claims> => {
  const texts = new Map<string, string[]>([[plainMac(port.mac), [...port.ips]]])
  for (const pair of port.allowedPairs) {
    const mac = plainMac(pair.mac ?? port.mac)
    texts.set(mac, [...texts.get(mac) ?? [], pair.ip])
  }
  return new Map([...texts].map(([mac, ips]) => {
    const v4 = ips.filter(ip => !ip.includes(':')), v6 = ips.filter(ip => ip.includes(':'))
    return [mac, { v4: mergeCidrs(v4), v6: mergeCidrs([...v6, linkLocalOf(mac)]) }]
  }))
}

const list = (cidrs: readonly Cidr[]): string => `{ ${cidrs.map(formatCidr).join(', ')} }`
const hex = (value: bigint): string => `0x${value.toString(16).padStart(32, '0')}`
/** nft has no word for a neighbour advertisement's target; it is the 16 bytes after the ICMPv6 header's first 8. */
const targets = (cidrs: readonly Cidr[]): string => `{ ${cidrs.map(c => c.length === 128 ? hex(c.base) : `${hex(c.base)}-${hex(lastOf(c))}`).join(', ')} }`

/**
 * What holds for frames from every guarded port; before its own rules. Tagged frames would pass by the stateful rules unseen, and no other protocol has rules
 * at all.
 */
export const commonAntiSpoofRules = [
  'ether type != { arp, ip, ip6 } drop',
  'ether type arp arp htype != 1 drop', 'ether type arp arp ptype != 0x0800 drop', 'ether type arp arp hlen != 6 drop', 'ether type arp arp plen != 4 drop',
  'ether type arp arp operation != { request, reply } drop',
  // Whoever sends to a DHCP client's port plays the DHCP server, whatever port it comes from.
  'ether type ip udp dport 68 drop', 'ether type ip6 udp dport 546 drop',
  'ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop',
]

/** What a card may say before it has an address: a chain that a port's own rules jump to once the MAC is known to be right. */
export const unaddressedRules = [
  'ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept',
  // Duplicate address detection, asking for routers, joining groups.
  'ether type ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld-listener-report, mld2-listener-report } accept',
]

/** The rules for frames from one guarded port. Falling off the end lets the frame go on. */
export const antiSpoofRules = (port: PortSpec): string[] => {
  const claims = [...claimsOf(port)]
  return [
    `ether saddr != { ${claims.map(([mac]) => mac).join(', ')} } drop`,
    'jump unaddressed',
    ...claims.flatMap(([mac, { v4, v6 }]) => {
      const its = claims.length === 1 ? '' : `ether saddr ${mac} `
      return [
        `${its}ether type arp arp saddr ether != ${mac} drop`,
        // 0.0.0.0 is a probe whether an address is free (RFC 5227).
        `${its}ether type arp arp saddr ip != ${list(mergeCidrs(['0.0.0.0', ...v4.map(formatCidr)]))} drop`,
        `${its}ether type ip ${v4.length > 0 ? `ip saddr != ${list(v4)} ` : ''}drop`,
        `${its}ether type ip6 ip6 saddr != ${list(v6)} drop`,
        `${its}ether type ip6 icmpv6 type nd-neighbor-advert @th,64,128 != ${targets(v6)} drop`,
      ]
    }),
  ]
}

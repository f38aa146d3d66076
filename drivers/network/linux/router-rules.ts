// A router's nftables: which addresses change on the way, as text. Pure.
import { badRequest } from '#base/errors.ts'
import { nftReplaceTable } from '#host/nft.ts'
import type { RouterSpec } from '#drivers/network/contract.ts'
import { plainAddress, versionOf } from './addresses.ts'
import { gatewayLink, metadataLink, routerLink } from './names.ts'
import { metadataAddress } from './dhcp-files.ts'
import { metadataTarget } from './metadata.ts'

/** Marks what came in by the way out: such packets keep their sender's address. */
const cameFromOutside = 1

/** The router's own IPv4 address outside, which others share when they have no floating IP. */
export const outsideAddress = (spec: RouterSpec): string | undefined => {
  const cidr = spec.gateway?.cidrs.find(cidr => versionOf(cidr) === 4)
  return cidr === undefined ? undefined : plainAddress(cidr)
}

const floating = (spec: RouterSpec): { address: string, fixedIp: string }[] => {
  const pairs = spec.floatingIps.map(fip => ({ address: plainAddress(fip.address), fixedIp: plainAddress(fip.fixedIp) }))
  if (pairs.some(p => versionOf(p.address) !== 4 || versionOf(p.fixedIp) !== 4)) throw badRequest('Floating IPs are IPv4 addresses')
  return pairs
}

export const routerRules = (spec: RouterSpec, attachments: Record<string, number>): string => {
  const outside = outsideAddress(spec)
  const way = spec.gateway && gatewayLink(spec.gateway.portId)
  const pairs = way === undefined ? [] : floating(spec)
  // A fixed address with two floating IPs goes out by the first.
  const firsts = [...new Map(pairs.toReversed().map(p => [p.fixedIp, p.address]))]
  const set = (list: readonly string[]): string => `{ ${list.join(', ')} }`
  const metadata = spec.interfaces.flatMap(({ portId }) => attachments[portId] === undefined ? []
    : [`iifname "${routerLink(portId)}" ip daddr ${metadataAddress} tcp dport 80 dnat ip to ${metadataTarget(attachments[portId])}`])

  // Of every packet, not only a connection's first: the table that rewrites sees only those.
  const mark = way === undefined ? [] : [`iifname "${way}" meta mark set ${cameFromOutside}`]
  const before = [...metadata, ...pairs.length === 0 ? [] : [`dnat ip to ip daddr map ${set(pairs.map(p => `${p.address} : ${p.fixedIp}`))}`]]
  const after = [
    `oifname "${metadataLink}" accept`,
    `meta mark ${cameFromOutside} accept`,
    // Between inside networks nothing changes, except for a guest that calls another by its floating IP: the answer must come back through here.
    ...way === undefined ? ['accept'] : [`oifname != "${way}" ct status and dnat != dnat accept`],
    ...firsts.length === 0 ? [] : [`snat ip to ip saddr map ${set(firsts.map(([fixedIp, address]) => `${fixedIp} : ${address}`))}`],
    ...outside === undefined ? [] : spec.gateway?.snat ? [`meta nfproto ipv4 snat ip to ${outside}`] : [`meta nfproto ipv4 ct status and dnat == dnat snat ip to ${outside}`],
  ]
  // The kernel remembers each connection's rewriting for as long as it lives. What it remembers must still be true:
  // a floating IP that is taken away or given to another guest cuts its running connections.
  const dnatTrue = pairs.length === 0 ? '' : ` ct original ip daddr . ct reply ip saddr != ${set(pairs.map(p => `${p.address} . ${p.fixedIp}`))}`
  const shared = outside !== undefined && (spec.gateway?.snat || pairs.length > 0)
  const snatTrue = [
    ...pairs.length === 0 ? [] : [`ct original ip saddr . ct reply ip daddr != ${set(pairs.map(p => `${p.fixedIp} . ${p.address}`))}`],
    ...shared ? [`ct reply ip daddr != ${outside}`] : [],
  ].join(' ')
  const forward = [
    // Only requests that were sent there, and their answers.
    `oifname "${metadataLink}" ct status and dnat == dnat accept`, `iifname "${metadataLink}" ct state established accept`,
    `oifname "${metadataLink}" drop`, `iifname "${metadataLink}" drop`,
    'ct state invalid drop',
    `ct status and dnat == dnat${dnatTrue} drop`,
    `ct status and snat == snat ${snatTrue} drop`,
  ]
  const chain = (name: string, head: string, rules: readonly string[]): string => `  chain ${name} {\n    ${head}\n${rules.map(rule => `    ${rule}\n`).join('')}  }\n`
  return nftReplaceTable('inet', 'pileus',
    chain('before', 'type nat hook prerouting priority -100; policy accept;', before)
    + chain('origin', 'type filter hook prerouting priority -150; policy accept;', mark)
    + chain('after', 'type nat hook postrouting priority 100; policy accept;', after)
    + chain('forward', 'type filter hook forward priority 0; policy accept;', forward)
    + chain('input', 'type filter hook input priority 0; policy drop;', ['ct state established,related accept', 'iifname "lo" accept', 'meta l4proto { icmp, ipv6-icmp } accept']))
}

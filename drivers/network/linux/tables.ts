// The two tables of the cloud's namespace, as text: `bridge pileus` (who is it, stateless) and `inet pileus` (may they talk, stateful).
//
// A frame's way: bridge prerouting marks it with its port's number and refuses what the port may not claim → (br_netfilter) inet prerouting puts its network's
// conntrack zone on it and asks the sender's chain → bridge forward marks it with the receiver's number → (br_netfilter) inet forward asks the receiver's
// chain.
// The marks are why this needs no iptables: nft sees the bridge's ports only in the bridge family, connections only in the inet family.
//
// Fail closed: a frame from or to a link named t… that is neither guarded nor declared open is dropped, and so is a marked one whose port has no rules.
// What is the same for all ports stands once in the hooks' own chains; a port's chains hold only what is its own.
// Guards come and go as elements of maps, so that a port costs the same among a thousand others, and no port's change touches another's rules.
import type { PortSpec } from '#drivers/network/contract.ts'
import { nftReplaceTable } from '#host/nft.ts'
import { antiSpoofRules, commonAntiSpoofRules, unaddressedRules } from './antispoof.ts'
import { groupSets } from './groups.ts'
import { bridgeName, portName } from './names.ts'
import { commonFromGuestRules, commonToGuestRules, fromGuestRules, toGuestRules, verdictChains } from './rules.ts'
import type { NetworkState, PortState, State } from './state.ts'

const chain = (name: string, rules: readonly string[]): string => `  chain ${name} {\n${rules.map(rule => `    ${rule}\n`).join('')}  }\n`
const elements = (family: string, name: string, list: readonly string[]): string => list.length === 0 ? '' : `add element ${family} pileus ${name} { ${list.join(', ')} }\n`

const bridgeBase = `
  map marks { type ifname : mark; }
  map guards { type ifname : verdict; }
  set open { type ifname; }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    meta mark set 0
    meta mark set iifname map @marks
    meta mark 0 iifname "t*" iifname != @open drop
    meta mark 0 accept
    ${commonAntiSpoofRules.join('\n    ')}
    iifname vmap @guards
    drop
  }
  chain unaddressed {
    ${unaddressedRules.join('\n    ')}
  }
  chain forward {
    type filter hook forward priority -300; policy accept;
    meta mark set 0
    meta mark set oifname map @marks
    meta mark 0 oifname "t*" oifname != @open drop
    meta mark 0 accept
    ether type != { arp, ip, ip6 } drop
    ether type ip udp dport 68 iifname != "d*" iifname != "v*" drop
    ether type ip6 udp dport 546 iifname != "d*" iifname != "v*" drop
    ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } iifname != "r*" iifname != "v*" iifname != "x*" iifname != "d*" drop
  }
  chain input { type filter hook input priority -300; policy drop; }
  chain output { type filter hook output priority -300; policy drop; }
`

const inetBase = `
  map zones { typeof iifname : ct zone; }
  map senders { type mark : verdict; }
  map receivers { type mark : verdict; }
  ${verdictChains}
  chain zone {
    type filter hook prerouting priority -300; policy accept;
    ct zone set iifname map @zones
  }
  chain sender {
    type filter hook prerouting priority -150; policy accept;
    meta mark 0 accept
    ${commonFromGuestRules.join('\n    ')}
    meta mark vmap @senders
    drop
  }
  chain receiver {
    type filter hook forward priority 0; policy accept;
    meta mark 0 accept
    ${commonToGuestRules.join('\n    ')}
    meta mark vmap @receivers
    drop
  }
  chain input { type filter hook input priority 0; policy drop; }
  chain output { type filter hook output priority 0; policy drop; }
`

const guard = (tap: string): string => `guard_${tap}`
const sender = (tap: string): string => `from_${tap}`
const receiver = (tap: string): string => `to_${tap}`

const portElements = (port: PortState): { marks: string, guards: string, senders: string, receivers: string } => {
  const tap = portName(port.spec.id)
  return {
    marks: `"${tap}" : ${port.mark}`, guards: `"${tap}" : goto ${guard(tap)}`,
    senders: `${port.mark} : goto ${sender(tap)}`, receivers: `${port.mark} : goto ${receiver(tap)}`,
  }
}

/** A port that is down is guarded like any other; its link is what keeps it silent. */
const isOpen = (port: PortSpec): boolean => !port.portSecurity

/** Both tables anew, from all that is known: the first act of a driver, and what it does when a smaller change is refused. */
export const allTables = (state: State): string => {
  const ports = [...state.ports.values()]
  const guarded = ports.filter(port => !isOpen(port.spec))
  const all = guarded.map(portElements)
  const chainsOf = (make: (port: PortState) => string): string => guarded.map(make).join('')
  return nftReplaceTable('bridge', 'pileus', bridgeBase + chainsOf(port => chain(guard(portName(port.spec.id)), antiSpoofRules(port.spec))))
    + nftReplaceTable('inet', 'pileus', groupSets([...state.groups.values()].map(group => group.spec), guarded.map(port => port.spec)) + inetBase
      + chainsOf(port => chain(sender(portName(port.spec.id)), fromGuestRules(port.spec)))
      + chainsOf(port => chain(receiver(portName(port.spec.id)), toGuestRules(port.spec))))
    + elements('inet', 'zones', [...state.networks.values()].map(zone))
    + elements('inet', 'senders', all.map(e => e.senders)) + elements('inet', 'receivers', all.map(e => e.receivers))
    + elements('bridge', 'marks', all.map(e => e.marks)) + elements('bridge', 'guards', all.map(e => e.guards))
    + elements('bridge', 'open', ports.filter(port => isOpen(port.spec)).map(port => `"${portName(port.spec.id)}"`))
}

const zone = (network: NetworkState): string => `"${bridgeName(network.spec.id)}" : ${network.index}`

export const putZone = (network: NetworkState): string => elements('inet', 'zones', [zone(network)])
/** Deleting what is not there fails, adding what is there does not: so it is added first. */
export const dropZone = (network: NetworkState): string => `${putZone(network)}delete element inet pileus zones { ${zone(network)} }\n`

/**
 * One port's rules, put in place in one transaction: at no moment is it half guarded. `before` is what the tables hold of it: for a new port nothing has to
 * be taken away first, which the kernel does five times faster (each deletion waits until no packet can see what is deleted).
 */
export const putPort = (port: PortState, before: PortState | undefined): string => {
  const tap = portName(port.spec.id)
  if (isOpen(port.spec)) return `${before === undefined ? '' : dropPort(port)}add element bridge pileus open { "${tap}" }\n`
  const e = portElements(port)
  const fresh = (family: string, name: string, rules: readonly string[]): string =>
    `add chain ${family} pileus ${name}\n${before === undefined ? '' : `flush chain ${family} pileus ${name}\n`}table ${family} pileus {\n${chain(name, rules)}}\n`
  return (before === undefined || !isOpen(before.spec) ? '' : `add element bridge pileus open { "${tap}" }\ndelete element bridge pileus open { "${tap}" }\n`)
    + fresh('bridge', guard(tap), antiSpoofRules(port.spec))
    + fresh('inet', sender(tap), fromGuestRules(port.spec)) + fresh('inet', receiver(tap), toGuestRules(port.spec))
    + elements('inet', 'senders', [e.senders]) + elements('inet', 'receivers', [e.receivers])
    + elements('bridge', 'marks', [e.marks]) + elements('bridge', 'guards', [e.guards])
}

/** A port's rules taken away, whether they are there or not. */
export const dropPort = (port: PortState): string => {
  const tap = portName(port.spec.id)
  const e = portElements(port)
  const absent = (family: string, name: string, element: string): string => `add element ${family} pileus ${name} { ${element} }\ndelete element ${family} pileus ${name} { ${element} }\n`
  const chains = [['bridge', guard(tap)], ['inet', sender(tap)], ['inet', receiver(tap)]] as const
  return chains.map(([family, name]) => `add chain ${family} pileus ${name}\nflush chain ${family} pileus ${name}\n`).join('')
    + absent('bridge', 'open', `"${tap}"`) + absent('bridge', 'marks', e.marks) + absent('bridge', 'guards', e.guards)
    + absent('inet', 'senders', e.senders) + absent('inet', 'receivers', e.receivers)
    + chains.map(([family, name]) => `delete chain ${family} pileus ${name}\n`).join('')
}

// One router: a namespace with a link into each of its networks, forwarding, and its rules.
import { notFound } from '#base/errors.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import { netnsStands, removeNetns } from '#host/netns.ts'
import { nftApply } from '#host/nft.ts'
import type { NetworkSpec } from '#drivers/network/contract.ts'
import { formatCidr, interfaceAddress, parseCidr, plainAddress, plainMac, versionOf } from './addresses.ts'
import { ensurePrepared } from './cloud.ts'
import { announce, convergeInterior } from './interior.ts'
import type { WantedLink, WantedRoute } from './interior.ts'
import { ensureMetadataLink, metadataRoutes, removeMetadataLink } from './metadata.ts'
import { bridgeName, gatewayLink, metadataLink, routerLink, routerPlugName } from './names.ts'
import type { CloudNames } from './names.ts'
import { routerRules } from './router-rules.ts'
import type { RouterState, State } from './state.ts'

interface Leg { portId: string, network: NetworkSpec, mac: string, link: string, outside: boolean, addresses: string[] }

const legsOf = ({ spec }: RouterState, state: State): Leg[] => {
  const network = (id: string): NetworkSpec => {
    const known = state.networks.get(id)
    if (known === undefined) throw notFound(`Network ${id} is not on this host`)
    return known.spec
  }
  const floating = spec.floatingIps.map(fip => `${plainAddress(fip.address)}/32`)
  return [
    ...spec.interfaces.map(i => ({
      portId: i.portId, network: network(i.networkId), mac: plainMac(i.mac), link: routerLink(i.portId), outside: false, addresses: i.cidrs.map(interfaceAddress),
    })),
    ...spec.gateway === undefined ? [] : [{
      portId: spec.gateway.portId, network: network(spec.gateway.networkId), mac: plainMac(spec.gateway.mac), link: gatewayLink(spec.gateway.portId), outside: true,
      // A floating IP may be the router's own address too; it is listed once.
      addresses: [...spec.gateway.cidrs.map(interfaceAddress), ...floating.filter(ip => !spec.gateway?.cidrs.some(cidr => plainAddress(cidr) === plainAddress(ip)))],
    }],
  ]
}

/** The network's state must be in `state`. Rules stand before the links are up, so that nothing leaves with a tenant's address. */
export async function ensureRouter(names: CloudNames, state: State, router: RouterState): Promise<void> {
  const { spec, attachments } = router
  const netns = names.router(spec.id), legs = legsOf(router, state)
  const rules = routerRules(spec, attachments)
  await ensurePrepared(netns, {
    'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1, 'net/ipv4/conf/default/arp_notify': 1,
    'net/ipv4/conf/all/send_redirects': 0, 'net/ipv4/conf/default/send_redirects': 0,
  })
  await nftApply(netns, rules)
  await ensureLegs(names, netns, legs)
  const indexes = Object.values(attachments)
  const plug = plugIndex(router)
  if (plug !== undefined) await ensureMetadataLink(names, netns, plug, indexes)
  const metadata = plug === undefined ? undefined : metadataRoutes(indexes)
  const links: WantedLink[] = legs.map(leg => ({ name: leg.link, up: spec.adminUp, mtu: leg.network.mtu, mac: leg.mac, addresses: leg.addresses, announce: true }))
  const fresh = await convergeInterior(netns, [...links, ...metadata ? [metadata.link] : []], [...spec.adminUp ? routesOf(router, legs) : [], ...metadata?.routes ?? []])
  if (fresh.length > 0) announceAgain(netns, fresh)
}

/** A neighbour that learned the old owner within the last second does not listen to a new one yet (the kernel's locktime), so it is told twice. */
const announceAgain = (netns: string, links: readonly WantedLink[]): void => {
  setTimeout(() => { announce(netns, links).catch(() => {}) }, 1500).unref() // the router may be gone by then
}

/** The pair to the metadata namespace carries the lowest number of the router's. */
const plugIndex = (router: RouterState): number | undefined => {
  const indexes = Object.values(router.attachments)
  return indexes.length === 0 ? undefined : Math.min(...indexes)
}

const routesOf = ({ spec }: RouterState, legs: readonly Leg[]): WantedRoute[] => {
  const outside = legs.find(leg => leg.outside)
  const contains = (cidr: string, address: string): boolean => {
    const net = parseCidr(cidr), host = parseCidr(plainAddress(address))
    return net.version === host.version && parseCidr(`${plainAddress(address)}/${net.length}`).base === net.base
  }
  return [
    ...outside === undefined ? [] : (spec.gateway?.nextHops ?? []).map(via => ({ to: 'default', via: plainAddress(via), dev: outside.link, onlink: true, version: versionOf(via) })),
    // A route whose next hop lies on none of our networks leads nowhere and is left out.
    ...spec.routes.flatMap(({ destination, nexthop }): WantedRoute[] => {
      const leg = legs.find(leg => leg.addresses.some(cidr => contains(cidr, nexthop)))
      return leg === undefined ? [] : [{ to: formatCidr(parseCidr(destination)), via: plainAddress(nexthop), dev: leg.link, version: versionOf(nexthop) }]
    }),
  ]
}

async function ensureLegs(names: CloudNames, netns: string, legs: readonly Leg[]): Promise<void> {
  const [inside, outside] = await Promise.all([ipLinks(netns), ipLinks(names.cloud)])
  const wanted = new Set(legs.map(leg => leg.link))
  const stale = inside.map(link => link.ifname).filter(name => /^[iw][0-9a-f]{12}$/.test(name) && !wanted.has(name))
  await ipBatch(netns, stale.map(name => `link delete dev ${name}`))
  const lines = legs.flatMap(leg => {
    const plug = routerPlugName(leg.portId), bridge = bridgeName(leg.network.id), { mtu } = leg.network
    const there = inside.some(link => link.ifname === leg.link), have = outside.find(link => link.ifname === plug)
    if (there && have?.master === bridge && have.mtu === mtu) return []
    return [
      ...!there && have !== undefined && !stale.some(name => name.slice(1) === plug.slice(1)) ? [`link delete dev ${plug}`] : [],
      ...there ? [] : [`link add dev ${plug} mtu ${mtu} type veth peer name ${leg.link} address ${leg.mac} mtu ${mtu} netns ${netns}`],
      `link set dev ${plug} mtu ${mtu} master ${bridge} up`,
    ]
  })
  await ipBatch(names.cloud, lines)
}

/** Removes the namespace and its links; `router` (what we remember of it) tells its numbers in the metadata namespace. */
export async function removeRouter(names: CloudNames, id: string, router: RouterState | undefined): Promise<void> {
  const netns = names.router(id)
  if (router) await removeMetadataLink(names, plugIndex(router), Object.values(router.attachments))
  // The kernel takes a namespace's links away some time after its name: those in the bridges must be gone when we answer.
  const stands = await netnsStands(netns)
  if (stands) {
    const inside = (await ipLinks(netns)).map(link => link.ifname).filter(name => /^[iw][0-9a-f]{12}$/.test(name) || name === metadataLink)
    await ipBatch(netns, inside.map(name => `link delete dev ${name}`))
  }
  await removeNetns(netns)
}


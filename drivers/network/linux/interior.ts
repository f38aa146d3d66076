// Brings links, addresses and routes inside a namespace to a wanted state: asks what is there, sends the difference as one batch.
import { ipAddresses, ipBatch, ipRoutes } from '#host/ip.ts'
import type { IpAddresses, IpRoute } from '#host/ip.ts'
import { formatCidr, interfaceAddress, parseCidr } from './addresses.ts'

/** Routes of ours carry this protocol number, so that nobody else's are touched. */
export const ourProtocol = 96

export interface WantedLink {
  name: string
  up: boolean
  mtu?: number
  mac?: string
  /** Absent: addresses are not looked at. */
  addresses?: string[]
  /** Tell the neighbours when an address is new here (it may have moved from another host or router). */
  announce?: boolean
}

export interface WantedRoute {
  /** A CIDR or "default". */
  to: string
  dev: string
  via?: string
  /** The next hop is on the link though no address of ours says so. */
  onlink?: boolean
  table?: number
  version: 4 | 6
}

const normal = (to: string): string => to === 'default' || to === '0.0.0.0/0' || to === '::/0' ? 'default' : formatCidr(parseCidr(to))
/** In a batch the family cannot be told by an option, so it must show in the destination. */
const spell = (version: 4 | 6, to: string): string => normal(to) !== 'default' ? normal(to) : version === 4 ? '0.0.0.0/0' : '::/0'
const keyOf = (version: 4 | 6, to: string, dev: string, via: string | undefined, table: number): string =>
  [version, normal(to), dev, via ?? '', table].join(' ')

const versionOfRoute = (route: IpRoute): 4 | 6 => `${route.dst}${route.gateway ?? ''}`.includes(':') ? 6 : 4

const addressesOf = (link: IpAddresses): string[] =>
  link.addr_info.filter(a => !(a.family === 'inet6' && a.scope === 'link')).map(a => interfaceAddress(`${a.local}/${a.prefixlen}`))

const linkChanges = (want: WantedLink, have: IpAddresses): { want: WantedLink, lines: string[], announce: boolean } => {
  const lines: string[] = []
  let announce = false
  const sets = [
    ...(want.mac !== undefined && want.mac !== have.address ? [`address ${want.mac}`] : []),
    ...(want.mtu !== undefined && want.mtu !== have.mtu ? [`mtu ${want.mtu}`] : []),
  ]
  if (sets.length > 0) lines.push(`link set dev ${want.name} ${sets.join(' ')}`)
  const isUp = have.flags.includes('UP')
  if (want.addresses !== undefined) {
    const wanted = new Set(want.addresses.map(interfaceAddress)), present = new Set(addressesOf(have))
    for (const address of present) if (!wanted.has(address)) lines.push(`address delete ${address} dev ${want.name}`)
    const fresh = [...wanted].filter(address => !present.has(address))
    for (const address of fresh) lines.push(`address add ${address} dev ${want.name}${address.includes(':') ? ' nodad' : ''}`)
    announce = want.announce === true && want.mac !== undefined && fresh.length > 0
  }
  if (want.up !== isUp) lines.push(`link set dev ${want.name} ${want.up ? 'up' : 'down'}`)
  return { want, lines, announce }
}

/** Tells the neighbours of a link all its addresses: with arp_notify the kernel does when a MAC is set, even to what it was. */
const announcement = (link: WantedLink): string => `link set dev ${link.name} address ${link.mac}`

/** Tells the neighbours of these links their addresses (again). */
export const announce = (netns: string, links: readonly WantedLink[]): Promise<void> => ipBatch(netns, links.map(announcement))

/**
 * Applies what is wanted; answers the links to be announced whose addresses are new. Links must exist; routes of ours over `routesOf` (all links unless told)
 * that are not wanted go.
 */
export async function convergeInterior(
  netns: string | undefined, links: readonly WantedLink[], routes: readonly WantedRoute[], routesOf?: (dev: string) => boolean,
): Promise<WantedLink[]> {
  const [present, standing] = await Promise.all([ipAddresses(netns), ipRoutes(netns, ourProtocol)])
  const changes = links.flatMap(want => {
    const have = present.find(link => link.ifname === want.name)
    return have === undefined ? [] : [linkChanges(want, have)]
  })
  const wanted = new Map(routes.map(r => [keyOf(r.version, r.to, r.dev, r.via, r.table ?? 254), r]))
  const ours = standing.filter(r => r.dev === undefined || (routesOf?.(r.dev) ?? true))
  const have = new Map(ours.map(r => [keyOf(versionOfRoute(r), r.dst, r.dev ?? '', r.gateway, Number(r.table ?? 254)), r]))
  // Unwanted routes go first: an address's removal may take them along, and deleting what is gone would fail.
  const lines = [...have].filter(([key]) => !wanted.has(key)).map(([, r]) =>
    `route delete ${spell(versionOfRoute(r), r.dst)}${r.gateway ? ` via ${r.gateway}` : ''}${r.dev ? ` dev ${r.dev}` : ''} table ${r.table ?? 254} proto ${ourProtocol}`)
  const moves = changes.flatMap(change => change.lines)
  // A link that changes may lose its routes on the way, so after a change every route is set again: replacing is harmless.
  for (const [key, r] of wanted) {
    if (moves.length === 0 && have.has(key)) continue
    const way = `${r.via ? ` via ${r.via}` : ''} dev ${r.dev}${r.onlink ? ' onlink' : ''}`
    moves.push(`route replace ${spell(r.version, r.to)}${way} table ${r.table ?? 254} proto ${ourProtocol}`)
  }
  const fresh = changes.filter(change => change.announce).map(change => change.want)
  await ipBatch(netns, [...lines, ...moves, ...fresh.map(announcement)])
  return fresh
}

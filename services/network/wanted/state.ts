// What a host should hold: asked for by its agent, for a few things that changed or for everything.
import type { NetworkTx, Deps } from '../deps.ts'
import type { Wanted, WantedRequest } from '../bus.ts'
import * as ports from '../ports/store.ts'
import * as routers from '../routers/store.ts'
import { networkParts, portParts, routerParts } from './load.ts'
import { groupSpec, networkSpec, portSpec, routerSpec } from './specs.ts'
import * as bound from './store.ts'

const isGuest = (owner: string): boolean => !owner.startsWith('network:')

interface Sorted { remove: string[], unknown: string[] }
/** Of the ids that are not wanted here: those that we know (they stand elsewhere, or were removed) may go, others are strangers. */
async function sort(tx: NetworkTx, kind: 'network' | 'port' | 'router', table: Parameters<typeof bound.standing>[1], ids: string[]): Promise<Sorted> {
  const standing = await bound.standing(tx, table, ids), removed = await bound.removedAmong(tx, kind, ids)
  return { remove: ids.filter((id) => standing.has(id) || removed.has(id)), unknown: ids.filter((id) => !standing.has(id) && !removed.has(id)) }
}

/** With `present` the whole host is meant, else only what is asked for. */
export async function wantedState(tx: NetworkTx, { config }: Pick<Deps, 'config'>, { host, ask, present, stands }: WantedRequest): Promise<Wanted> {
  const all = present !== undefined
  const askedPorts = all ? present.ports : ask?.ports ?? [], askedRouters = all ? present.routers : ask?.routers ?? []

  const here = (all ? await bound.boundTo(tx, host) : await ports.byIds(tx, askedPorts)).filter((p) => p.host === host)
  const guests = here.filter((p) => isGuest(p.deviceOwner))
  const routerRows = host !== config.networkHost ? [] : all ? await routers.all(tx) : await routers.byIds(tx, askedRouters)
  const routerStates = (await routerParts(tx, routerRows)).filter((r) => r.interfaces.length > 0 || r.gateway)
  // A port or a router needs its networks, asked for or not.
  const standing = { networks: new Set(stands?.networks), groups: new Set(stands?.groups) }
  const needed = [...guests.map((p) => p.networkId), ...routerStates.flatMap((r) => [...r.interfaces, ...(r.gateway ? [r.gateway] : [])].map((i) => i.port.networkId))].filter((id) => !standing.networks.has(id))
  const askedNetworks = [...new Set([...(all ? [...present.networks, ...here.map((p) => p.networkId)] : ask?.networks ?? []), ...needed])]
  const networkStates = await networkParts(tx, await bound.networksOn(tx, host, askedNetworks), host)
  const reports = new Map((await bound.reportsOf(tx, host, 'port', all ? undefined : guests.map((p) => p.id))).map((r) => [r.resourceId, r]))
  const guestParts = await portParts(tx, guests)

  // A group is for the ports here whose rules name it: those that were asked for, and for a group that was asked for any.
  const neededGroups = new Set(guestParts.flatMap((p) => p.rules.flatMap((rule) => rule.remoteGroupId ?? [])).filter((id) => !standing.groups.has(id)))
  const askedGroups = all ? present.groups : ask?.groups ?? []
  const groupsHere = new Set([...neededGroups, ...(all ? [] : (await bound.groupsNamedOn(tx, askedGroups, host)).map((n) => n.groupId))])
  const members = await bound.memberAddresses(tx, [...groupsHere])

  const lost = (asked: string[], wanted: { id: string }[]): string[] => { const ids = new Set(wanted.map((w) => w.id)); return [...new Set(asked)].filter((id) => !ids.has(id)) }
  const networksOut = await sort(tx, 'network', 'networkNetworks', lost(askedNetworks, networkStates.map((n) => n.row)))
  // The ports of DHCP and routers are part of their networks' and routers' specs: they are no strangers, and nothing to be removed by itself.
  const own = new Set(here.filter((p) => !isGuest(p.deviceOwner)).map((p) => p.id))
  const portsOut = await sort(tx, 'port', 'networkPorts', lost(askedPorts, guests).filter((id) => !own.has(id)))
  const routersOut = await sort(tx, 'router', 'networkRouters', lost(askedRouters, routerStates.map((r) => r.row)))
  return {
    networks: networkStates.map((parts) => networkSpec(parts, host, config.dnsDomain)),
    groups: [...members].map(([id, addresses]) => groupSpec(id, addresses)),
    ports: guestParts.map((parts) => {
      const report = reports.get(parts.row.id)
      return { spec: portSpec(parts, Number(report?.detail) || 0), mtu: Number(parts.network.mtu), plugged: report?.state === 'up' }
    }),
    routers: routerStates.map(routerSpec),
    remove: { networks: networksOut.remove, groups: askedGroups.filter((id) => !groupsHere.has(id)), ports: portsOut.remove, routers: routersOut.remove },
    unknown: { networks: networksOut.unknown, ports: portsOut.unknown, routers: routersOut.unknown },
  }
}

// What a host should hold: asked for by its agent, for a few things that changed or for everything.
import type { NetworkTx, Deps } from '../deps.ts'
import type { Wanted, WantedRequest } from '../bus.ts'
import * as ports from '../ports/store.ts'
import * as routers from '../routers/store.ts'
import { networkParts, portParts, routerParts } from './load.ts'
import { networkSpec, portSpec, routerSpec } from './specs.ts'
import * as bound from './store.ts'

const isGuest = (owner: string): boolean => !owner.startsWith('network:')

interface Sorted { remove: string[], unknown: string[] }
/** Of the ids that are not wanted here: those that we know (they stand elsewhere, or were removed) may go, others are strangers. */
async function sort(tx: NetworkTx, kind: 'network' | 'port' | 'router', table: Parameters<typeof bound.standing>[1], ids: string[]): Promise<Sorted> {
  const standing = await bound.standing(tx, table, ids), removed = await bound.removedAmong(tx, kind, ids)
  return { remove: ids.filter((id) => standing.has(id) || removed.has(id)), unknown: ids.filter((id) => !standing.has(id) && !removed.has(id)) }
}

/** With `present` the whole host is meant, else only what is asked for. */
export async function wantedState(tx: NetworkTx, { config }: Pick<Deps, 'config'>, { host, ask, present }: WantedRequest): Promise<Wanted> {
  const all = present !== undefined
  const here = await bound.boundTo(tx, host)
  const networksHere = new Set(here.map((p) => p.networkId))
  const askedPorts = all ? present.ports : ask?.ports ?? [], askedRouters = all ? present.routers : ask?.routers ?? []

  const guests = (all ? here : await ports.byIds(tx, askedPorts)).filter((p) => p.host === host && isGuest(p.deviceOwner))
  const routerRows = host !== config.networkHost ? [] : all ? await routers.all(tx) : await routers.byIds(tx, askedRouters)
  const routerStates = (await routerParts(tx, routerRows)).filter((r) => r.interfaces.length > 0 || r.gateway)
  // A port or a router needs its networks, asked for or not.
  const askedNetworks = [...new Set([...(all ? [...present.networks, ...networksHere] : ask?.networks ?? []), ...guests.map((p) => p.networkId), ...routerStates.flatMap((r) => [...r.interfaces, ...(r.gateway ? [r.gateway] : [])].map((i) => i.port.networkId))])]
  const networkStates = await networkParts(tx, askedNetworks.filter((id) => networksHere.has(id)))
  const reports = new Map((await bound.reportsOf(tx, host, 'port')).map((r) => [r.resourceId, r]))

  const lost = (asked: string[], wanted: { id: string }[]): string[] => { const ids = new Set(wanted.map((w) => w.id)); return [...new Set(asked)].filter((id) => !ids.has(id)) }
  const networksOut = await sort(tx, 'network', 'networkNetworks', lost(askedNetworks, networkStates.map((n) => n.row)))
  // The ports of DHCP and routers are part of their networks' and routers' specs: they are no strangers, and nothing to be removed by itself.
  const own = new Set(here.filter((p) => !isGuest(p.deviceOwner)).map((p) => p.id))
  const portsOut = await sort(tx, 'port', 'networkPorts', lost(askedPorts, guests).filter((id) => !own.has(id)))
  const routersOut = await sort(tx, 'router', 'networkRouters', lost(askedRouters, routerStates.map((r) => r.row)))
  return {
    networks: networkStates.map((parts) => networkSpec(parts, host, config.dnsDomain)),
    ports: (await portParts(tx, guests)).map((parts) => {
      const report = reports.get(parts.row.id)
      return { spec: portSpec(parts, Number(report?.detail) || 0), mtu: Number(parts.network.mtu), plugged: report?.state === 'up' }
    }),
    routers: routerStates.map(routerSpec),
    remove: { networks: networksOut.remove, ports: portsOut.remove, routers: routersOut.remove },
    unknown: { networks: networksOut.unknown, ports: portsOut.unknown, routers: routersOut.unknown },
  }
}

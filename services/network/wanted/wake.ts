// Tells agents that something changed: which hosts are concerned, and that they hear of it once the change is committed.
import type { Context } from '#base/context.ts'
import { networkAgentBus, type Touched } from '../bus.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import type { PortRow } from '../schema.ts'
import * as bound from './store.ts'

/** One cast a host. Nobody is told of hosts that hold nothing of it. */
export async function wake(tx: NetworkTx, ctx: Context, { bus }: Pick<Deps, 'bus'>, hosts: Iterable<string>, touched: Touched): Promise<void> {
  for (const host of new Set(hosts)) if (host !== '') await bus.cast(tx, ctx, networkAgentBus, 'changed', touched, { target: host })
}

/** Everything on a network looks different: its subnets, its MTU, its leases. */
export async function wakeNetwork(tx: NetworkTx, ctx: Context, deps: Deps, networkId: string): Promise<void> {
  const hosts = await bound.hostsOf(tx, networkId)
  if (hosts.length === 0) return
  await wake(tx, ctx, deps, hosts, { networks: [networkId], routers: await bound.routersOn(tx, networkId) })
}

/** Rules of these groups changed: their members' filters. `named` are groups that a rule names, or did: hosts begin or cease to need them. */
export async function wakeRules(tx: NetworkTx, ctx: Context, deps: Deps, groupIds: string[], named: string[]): Promise<void> {
  if (groupIds.length === 0) return
  const byHost = Map.groupBy(await bound.portsConcernedBy(tx, groupIds), (port) => port.host)
  for (const [host, ports] of byHost) await wake(tx, ctx, deps, [host], { ports: ports.map((p) => p.id), ...(named.length > 0 && { groups: named }) })
}

/**
 * A port looks different on the hosts it was and is bound to; so do its network's leases, and its groups on all hosts with ports whose rules name them.
 * These ports themselves do not change.
 */
export async function wakePort(tx: NetworkTx, ctx: Context, deps: Deps, port: Pick<PortRow, 'id' | 'networkId' | 'deviceId' | 'deviceOwner'>, hosts: string[], groupIds: string[]): Promise<void> {
  const concerned = hosts.filter((host) => host !== '')
  if (concerned.length === 0) return
  const members = Map.groupBy(await bound.groupsNamedOn(tx, groupIds), (named) => named.host)
  const needed = await bound.groupsNamedBy(tx, groupIds)
  // Together with its router: a network whose router has not let go of it cannot go.
  const own: Touched = { networks: [port.networkId], ports: [port.id], ...(port.deviceOwner.startsWith('network:router_') && { routers: [port.deviceId] }) }
  for (const host of new Set(concerned)) {
    const groups = [...new Set([...needed, ...(members.get(host) ?? []).map((named) => named.groupId)])]
    await wake(tx, ctx, deps, [host], { ...own, ...(groups.length > 0 && { groups }) })
  }
  const server = await bound.dhcpHost(tx, port.networkId)
  if (server !== undefined && !concerned.includes(server)) await wake(tx, ctx, deps, [server], { networks: [port.networkId] })
  for (const [host, named] of members) if (!concerned.includes(host)) await wake(tx, ctx, deps, [host], { groups: named.map((n) => n.groupId) })
}

export const wakeRouter = (tx: NetworkTx, ctx: Context, deps: Deps, routerId: string, networks: string[] = []): Promise<void> =>
  wake(tx, ctx, deps, [deps.config.networkHost], { routers: [routerId], ...(networks.length > 0 && { networks }) })

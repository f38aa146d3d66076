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

/** Rules of these groups, or who is in them, changed: their members' filters, and the filters of whoever lets them in. */
export async function wakeGroups(tx: NetworkTx, ctx: Context, deps: Deps, groupIds: string[], except = ''): Promise<void> {
  if (groupIds.length === 0) return
  const byHost = new Map<string, string[]>()
  for (const { id, host } of await bound.portsConcernedBy(tx, groupIds)) if (id !== except) byHost.set(host, [...byHost.get(host) ?? [], id])
  for (const [host, ports] of byHost) await wake(tx, ctx, deps, [host], { ports })
}

/** A port looks different on the hosts it was and is bound to; so do its network's leases, and filters that name its groups. */
export async function wakePort(tx: NetworkTx, ctx: Context, deps: Deps, port: Pick<PortRow, 'id' | 'networkId' | 'deviceId' | 'deviceOwner'>, hosts: string[], groupIds: string[]): Promise<void> {
  const concerned = hosts.filter((host) => host !== '')
  if (concerned.length === 0) return
  // Together with its router: a network whose router has not let go of it cannot go.
  await wake(tx, ctx, deps, concerned, { networks: [port.networkId], ports: [port.id], ...(port.deviceOwner.startsWith('network:router_') && { routers: [port.deviceId] }) })
  const server = await bound.dhcpHost(tx, port.networkId)
  if (server !== undefined && !concerned.includes(server)) await wake(tx, ctx, deps, [server], { networks: [port.networkId] })
  if (groupIds.length > 0) await wakeGroups(tx, ctx, deps, await bound.groupsNaming(tx, groupIds), port.id)
}

export const wakeRouter = (tx: NetworkTx, ctx: Context, deps: Deps, routerId: string, networks: string[] = []): Promise<void> =>
  wake(tx, ctx, deps, [deps.config.networkHost], { routers: [routerId], ...(networks.length > 0 && { networks }) })

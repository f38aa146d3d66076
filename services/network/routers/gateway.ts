// A router's way out: its port on an external network.
import type { Context } from '#base/context.ts'
import { flag } from '#kit/store/store.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { badResource, gatewayHasFloatingIps, notAuthorized } from '../faults.ts'
import * as floatingIps from '../floatingips/store.ts'
import { allocateWanted } from '../ipam/allocate.ts'
import { formatIp, overlap, parseCidr, parseIp } from '../ipam/ip.ts'
import * as addresses from '../ipam/store.ts'
import * as policy from '../policy.ts'
import { networkFor } from '../ports/api.ts'
import { makePort } from '../ports/make.ts'
import { removePort } from '../ports/remove.ts'
import * as ports from '../ports/store.ts'
import { isTrue } from '../resource/kinds.ts'
import type { NetworkRow, RouterRow, SubnetRow } from '../schema.ts'
import * as subnets from '../subnets/store.ts'
import type { GatewayInfo } from './noun.ts'
import * as routers from './store.ts'

export type Gateway = Pick<RouterRow, 'gatewayPortId' | 'gatewayNetworkId' | 'enableSnat'>

/** Addresses outside, and whether the inside is hidden behind them, are for administrators to say. */
export function checkGatewayRights(verb: 'create' | 'update', info: GatewayInfo | null | undefined, ctx: Context): void {
  if (!info || policy.isAdmin(ctx.actor)) return
  const deny = (name: string): never => { throw notAuthorized(`(rule:${verb}_router and rule:${verb}_router:external_gateway_info:${name})`) }
  if (info.enable_snat !== undefined) deny('enable_snat')
  if (info.external_fixed_ips !== undefined) deny('external_fixed_ips')
}

export const overlaps = (fresh: SubnetRow, standing: SubnetRow): Error =>
  badResource('router', `Cidr ${fresh.cidr} of subnet ${fresh.id} overlaps with cidr ${standing.cidr} of subnet ${standing.id}`)

/** A router's networks must not overlap: it could not tell where a packet belongs. */
export async function checkRouterOverlap(tx: NetworkTx, routerId: string, fresh: SubnetRow[], except = ''): Promise<void> {
  const standing = ((await routers.interfacesOf(tx, [routerId], ['network:router_interface', 'network:router_gateway'])).get(routerId) ?? []).filter((i) => i.port.id !== except).flatMap((i) => i.subnets)
  for (const a of fresh) for (const b of standing) if (a.id !== b.id && overlap(parseCidr(a.cidr)!, parseCidr(b.cidr)!)) throw overlaps(a, b)
}

async function removeGateway(tx: NetworkTx, ctx: Context, deps: Deps, row: RouterRow): Promise<void> {
  if (row.gatewayPortId === null) return
  if ((await floatingIps.ofRouters(tx, [row.id])).length > 0) throw gatewayHasFloatingIps(row.id, row.gatewayNetworkId!)
  const port = await ports.find(tx, row.gatewayPortId)
  if (port) await removePort(tx, ctx, deps, port)
}

const wishes = (info: GatewayInfo): GatewayInfo['external_fixed_ips'] =>
  info.external_fixed_ips?.map((ip) => {
    const parsed = ip.ip_address === undefined ? undefined : parseIp(ip.ip_address)
    return { ...ip, ...(parsed && { ip_address: formatIp(parsed) }) }
  })

/** Makes the gateway as asked; answers the row's new columns. */
export async function setGateway(tx: NetworkTx, ctx: Context, deps: Deps, row: RouterRow, info: GatewayInfo | null, attempt: number): Promise<Gateway> {
  if (info === null || info.network_id === undefined) {
    if (info !== null && Object.keys(info).length > 0) throw badResource('router', 'network_id is required in external_gateway_info')
    await removeGateway(tx, ctx, deps, row)
    return { gatewayPortId: null, gatewayNetworkId: null, enableSnat: 1 }
  }
  const on: NetworkRow = await networkFor(tx, ctx, info.network_id)
  if (on.external === 0) throw badResource('router', `Network ${on.id} is not an external network`)
  const enableSnat = info.enable_snat === undefined ? (row.gatewayPortId === null ? 1 : row.enableSnat) : flag(isTrue(info.enable_snat))
  const offered = await subnets.ofNetwork(tx, on.id)
  const standing = row.gatewayNetworkId === on.id && row.gatewayPortId !== null ? await ports.find(tx, row.gatewayPortId) : undefined
  if (standing) {
    const asked = wishes(info)
    if (asked) await allocateWanted(tx, standing, offered, asked, attempt, (await addresses.addressesOf(tx, [standing.id])).get(standing.id) ?? [])
    return { gatewayPortId: standing.id, gatewayNetworkId: on.id, enableSnat }
  }
  await removeGateway(tx, ctx, deps, row)
  await checkRouterOverlap(tx, row.id, offered)
  const port = await makePort(tx, deps, on, {
    projectId: '', deviceOwner: 'network:router_gateway', deviceId: row.id, host: deps.config.networkHost, ...(info.external_fixed_ips && { fixedIps: wishes(info) }),
  }, attempt)
  return { gatewayPortId: port.id, gatewayNetworkId: on.id, enableSnat }
}

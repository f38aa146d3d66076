// Binding floating IPs to ports, and letting go of them.
import type { Context } from '#base/context.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { badResource, notReachable, portHasFloatingIp, portNotFound } from '../faults.ts'
import { parseIp } from '../ipam/ip.ts'
import * as addresses from '../ipam/store.ts'
import * as policy from '../policy.ts'
import * as ports from '../ports/store.ts'
import { amend } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'
import * as subnets from '../subnets/store.ts'
import { wakeRouter } from '../wanted/wake.ts'
import * as floatingIps from './store.ts'

export type Attachment = Pick<FloatingIpRow, 'portId' | 'fixedIpAddress' | 'routerId'>
export const unattached: Attachment = { portId: null, fixedIpAddress: null, routerId: null }

/** The fixed address, and the router that reaches it from outside; neutron's faults for whatever does not fit. */
export async function attachmentFor(tx: NetworkTx, ctx: Context, floating: Pick<FloatingIpRow, 'id' | 'projectId' | 'floatingNetworkId' | 'floatingIpAddress'>, portId: string, asked: string | undefined): Promise<Attachment> {
  const port = await ports.find(tx, portId)
  if (!port || !(policy.isAdmin(ctx.actor) || port.projectId === ctx.actor.projectId)) throw portNotFound(portId)
  if (port.projectId !== floating.projectId && !policy.isAdmin(ctx.actor)) {
    throw badResource('floatingip', `Port ${portId} is associated with a different tenant than Floating IP ${floating.id} and therefore cannot be bound`)
  }
  const v4 = ((await addresses.addressesOf(tx, [portId])).get(portId) ?? []).filter((ip) => parseIp(ip.address)!.version === 4)
  const fixed = asked === undefined ? v4[0] : v4.find((ip) => ip.address === asked)
  if (asked !== undefined && !fixed) throw badResource('floatingip', `Port ${portId} does not have fixed ip ${asked}`)
  if (!fixed) throw badResource('floatingip', `Cannot add floating IP to port ${portId} that has no fixed IPv4 addresses`)
  if (asked === undefined && v4.length > 1) throw badResource('floatingip', `Port ${portId} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`)

  const routers = await floatingIps.routersBetween(tx, fixed.subnetId, floating.floatingNetworkId)
  const gateway = (await subnets.find(tx, fixed.subnetId))?.gatewayIp
  const router = routers.find((r) => r.address === gateway) ?? routers[0]
  if (!router) throw notReachable(floating.floatingNetworkId, fixed.subnetId, portId)
  const rival = (await floatingIps.ofPort(tx, portId)).find((f) => f.fixedIpAddress === fixed.address && f.floatingNetworkId === floating.floatingNetworkId && f.id !== floating.id)
  if (rival) throw portHasFloatingIp(floating.floatingIpAddress, floating.id, portId, fixed.address, floating.floatingNetworkId)
  return { portId, fixedIpAddress: fixed.address, routerId: router.id }
}

/** Lets go of a port's floating IPs, but for those of addresses that it keeps. */
export async function detachFrom(tx: NetworkTx, ctx: Context, deps: Deps, portId: string, keeps: string[] = []): Promise<void> {
  for (const row of await floatingIps.ofPort(tx, portId)) {
    if (row.fixedIpAddress !== null && keeps.includes(row.fixedIpAddress)) continue
    await amend(tx, 'networkFloatingIps', row, unattached)
    if (row.routerId !== null) await wakeRouter(tx, ctx, deps, row.routerId)
  }
}

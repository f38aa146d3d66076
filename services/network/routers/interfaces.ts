// Joining subnets to a router: https://docs.openstack.org/api-ref/network/v2/#add-interface-to-router
import type { Context } from '#base/context.ts'
import { Type } from '#kit/http/schema.ts'
import { operation, type Deps, type NetworkTx } from '../deps.ts'
import { addressInUse, badResource, interfaceHasFloatingIps, interfaceHasRoutes, malformed, noInterface, noInterfaceForSubnet, portInUse, portNotFound, portNotOnSubnet, routerNotFound, subnetNotFound } from '../faults.ts'
import * as floatingIps from '../floatingips/store.ts'
import { subnetHas } from '../ipam/allocate.ts'
import { addressesOf, holder } from '../ipam/store.ts'
import * as networks from '../networks/store.ts'
import * as policy from '../policy.ts'
import { bindTo } from '../ports/bind.ts'
import { makePort } from '../ports/make.ts'
import { port as portNoun } from '../ports/noun.ts'
import { removePort } from '../ports/remove.ts'
import { shapes } from '../resource/kinds.ts'
import { mustBeAt, revisionAsked } from '../resource/if-match.ts'
import { targetOf } from '../resource/operations.ts'
import { racing } from '../resource/race.ts'
import { claim, touch } from '../resource/store.ts'
import type { PortRow, RouterRow, SubnetRow } from '../schema.ts'
import { subnet as subnetNoun } from '../subnets/noun.ts'
import * as subnets from '../subnets/store.ts'
import { settle } from '../wanted/store.ts'
import { wakeRouter } from '../wanted/wake.ts'
import { checkRouterOverlap } from './gateway.ts'
import { router } from './noun.ts'
import * as routers from './store.ts'

interface Asked { subnet_id?: string, port_id?: string }
const body = Type.Object({ subnet_id: Type.Optional(Type.Unsafe<string>(shapes.uuid)), port_id: Type.Optional(Type.Unsafe<string>(shapes.uuid)) }, { additionalProperties: false })

const view = (row: RouterRow, port: PortRow, subnetIds: string[]): object => ({
  id: row.id, tenant_id: row.projectId, project_id: row.projectId, port_id: port.id, network_id: port.networkId, subnet_id: subnetIds[0], subnet_ids: subnetIds,
})

async function bySubnet(tx: NetworkTx, ctx: Context, deps: Deps, row: RouterRow, subnetId: string, attempt: number): Promise<PortRow> {
  const found = await subnetNoun.find(tx, subnetId)
  if (!found || !policy.readSubnet.allows(ctx.actor, found.owner)) throw subnetNotFound(subnetId)
  const { row: subnet } = found
  if (!policy.isAdmin(ctx.actor) && subnet.projectId !== ctx.actor.projectId) throw badResource('router', `Cannot add interface to router because subnet ${subnetId} is not owned by project making the request`)
  if (subnet.gatewayIp === null || !subnetHas(subnet, subnet.gatewayIp)) throw badResource('router', 'Subnet for router interface must have a gateway IP')
  await checkFits(tx, row, [subnet])
  if (await holder(tx, subnet.networkId, subnet.gatewayIp)) throw addressInUse(subnet.networkId, subnet.gatewayIp)
  const on = (await networks.find(tx, subnet.networkId))!
  await claim(tx, deps, row.projectId, 'port', 'free')
  return makePort(tx, deps, on, {
    projectId: row.projectId, deviceOwner: 'network:router_interface', deviceId: row.id, host: deps.config.networkHost, fixedIps: [{ subnet_id: subnet.id, ip_address: subnet.gatewayIp }],
  }, attempt)
}

async function checkFits(tx: NetworkTx, row: RouterRow, fresh: SubnetRow[]): Promise<void> {
  const standing = ((await routers.interfacesOf(tx, [row.id])).get(row.id) ?? []).flatMap((i) => i.subnets)
  for (const subnet of fresh) if (standing.some((s) => s.id === subnet.id)) throw badResource('router', `Router already has a port on subnet ${subnet.id}`)
  await checkRouterOverlap(tx, row.id, fresh)
}

async function byPort(tx: NetworkTx, ctx: Context, deps: Deps, row: RouterRow, portId: string): Promise<PortRow> {
  const found = await portNoun.find(tx, portId)
  if (!found || !policy.readOnNetwork.allows(ctx.actor, found.owner)) throw portNotFound(portId)
  const { row: port } = found
  if (port.deviceId !== '' || port.host !== '') throw portInUse(portId, port.networkId, port.deviceId)
  const held = (await addressesOf(tx, [portId])).get(portId) ?? []
  if (held.length === 0) throw badResource('router', 'Router port must have at least one fixed IP')
  const on = [...(await subnets.byIds(tx, held.map((ip) => ip.subnetId))).values()]
  if (on.filter((s) => s.ipVersion === 4).length > 1) throw badResource('router', 'Cannot have multiple IPv4 subnets on router port')
  await checkFits(tx, row, on)
  return bindTo(tx, ctx, deps, port, deps.config.networkHost, { deviceId: row.id, deviceOwner: 'network:router_interface', portSecurityEnabled: 0 })
}

export const addRouterInterface = operation({
  name: 'addRouterInterface', method: 'PUT', path: '/routers/{router_id}/add_router_interface', summary: 'Join a subnet, or a port, to a router.',
  access: policy.change, target: targetOf(router), body,
  faults: ['conflict'],
  async handle(ctx, { body, target, headers }, deps) {
    const { subnet_id: subnetId, port_id: portId } = body as Asked, revision = revisionAsked(headers)
    if ((subnetId === undefined) === (portId === undefined)) throw subnetId === undefined ? malformed('Either subnet_id or port_id must be specified') : badResource('router', 'Cannot specify both subnet-id and port-id')
    return racing(deps, async (tx, attempt) => {
      const row = await routers.find(tx, target.row.id)
      if (!row) throw routerNotFound(target.row.id)
      mustBeAt(row, revision)
      const port = subnetId === undefined ? await byPort(tx, ctx, deps, row, portId!) : await bySubnet(tx, ctx, deps, row, subnetId, attempt)
      // The revision keeps two overlapping subnets from being joined at once.
      const touched = await touch(tx, 'networkRouters', row)
      await settle(tx, port.networkId, deps.config.networkHost)
      await wakeRouter(tx, ctx, deps, row.id, [port.networkId])
      return view(touched, port, ((await addressesOf(tx, [port.id])).get(port.id) ?? []).map((ip) => ip.subnetId))
    })
  },
})

export const removeRouterInterface = operation({
  name: 'removeRouterInterface', method: 'PUT', path: '/routers/{router_id}/remove_router_interface', summary: 'Take a subnet, or a port, off a router; the port goes with it.',
  access: policy.change, target: targetOf(router), body,
  faults: ['conflict'],
  async handle(ctx, { body, target, headers }, deps) {
    const { subnet_id: subnetId, port_id: portId } = body as Asked, revision = revisionAsked(headers)
    if (subnetId === undefined && portId === undefined) throw malformed('Either subnet_id or port_id must be specified')
    return racing(deps, async (tx) => {
      const row = await routers.find(tx, target.row.id)
      if (!row) throw routerNotFound(target.row.id)
      mustBeAt(row, revision)
      const standing = (await routers.interfacesOf(tx, [row.id])).get(row.id) ?? []
      const chosen = standing.find((i) => (portId === undefined ? i.subnets.some((s) => s.id === subnetId) : i.port.id === portId))
      if (!chosen) throw portId === undefined ? noInterfaceForSubnet(row.id, subnetId!) : noInterface(row.id, portId)
      if (subnetId !== undefined && !chosen.subnets.some((s) => s.id === subnetId)) throw portNotOnSubnet(chosen.port.id, subnetId)
      await checkUnused(tx, row, chosen.subnets)
      await removePort(tx, ctx, deps, chosen.port)
      const touched = await touch(tx, 'networkRouters', row)
      await wakeRouter(tx, ctx, deps, row.id, [chosen.port.networkId])
      return view(touched, chosen.port, subnetId === undefined ? chosen.subnets.map((s) => s.id) : [subnetId])
    })
  },
})

/** Floating IPs and routes go through the interface. */
async function checkUnused(tx: NetworkTx, row: RouterRow, gone: SubnetRow[]): Promise<void> {
  const floating = await floatingIps.ofRouters(tx, [row.id])
  const routes = JSON.parse(row.routes) as { nexthop: string }[]
  for (const subnet of gone) {
    if (floating.some((f) => f.fixedIpAddress !== null && subnetHas(subnet, f.fixedIpAddress))) throw interfaceHasFloatingIps(row.id, subnet.id)
    if (routes.some((r) => subnetHas(subnet, r.nexthop))) throw interfaceHasRoutes(row.id, subnet.id)
  }
}

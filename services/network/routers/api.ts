// https://docs.openstack.org/api-ref/network/v2/#routers-routers
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { flag } from '#kit/store/store.ts'
import { routerInUse } from '../faults.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend, forget } from '../resource/store.ts'
import type { RouterRow } from '../schema.ts'
import { checkRoutes } from '../subnets/check.ts'
import { remember } from '../wanted/store.ts'
import { wakeRouter } from '../wanted/wake.ts'
import { checkGatewayRights, setGateway } from './gateway.ts'
import { checkNextHops } from './next-hops.ts'
import { router } from './noun.ts'
import * as routers from './store.ts'

export const listRouters = listing(router)
export const showRouter = showing(router)

export const createRouter = creating(router, {
  async make(tx, ctx, deps, values, projectId, attempt) {
    checkGatewayRights('create', values.external_gateway_info, ctx)
    const at = now()
    const row: RouterRow = {
      id: newId(), projectId, description: values.description ?? '', revision: 1, createdAt: at, updatedAt: at, name: values.name ?? '', adminStateUp: flag(values.admin_state_up ?? true),
      gatewayPortId: null, gatewayNetworkId: null, enableSnat: 1, routes: '[]',
    }
    if (values.external_gateway_info) {
      Object.assign(row, await setGateway(tx, ctx, deps, row, values.external_gateway_info, attempt))
      await wakeRouter(tx, ctx, deps, row.id, row.gatewayNetworkId === null ? [] : [row.gatewayNetworkId])
    }
    await routers.add(tx, row)
    return row
  },
})

export const updateRouter = updating(router, async (tx, ctx, deps, row, values, _owner, attempt) => {
  checkGatewayRights('update', values.external_gateway_info, ctx)
  const gateway = Object.hasOwn(values, 'external_gateway_info') ? await setGateway(tx, ctx, deps, row, values.external_gateway_info ?? null, attempt) : {}
  const routes = Object.hasOwn(values, 'routes') ? checkRoutes(values.routes ?? [], 'routes') : undefined
  if (routes) await checkNextHops(tx, row, routes)
  const changed = await amend(tx, 'networkRouters', row, {
    ...(values.name !== undefined && { name: values.name }), ...(values.description !== undefined && { description: values.description }),
    ...(values.admin_state_up !== undefined && { adminStateUp: flag(values.admin_state_up) }), ...(routes && { routes: JSON.stringify(routes) }), ...gateway,
  })
  const networks = [...new Set([row.gatewayNetworkId, changed.gatewayNetworkId].flatMap((id) => id ?? []))]
  if (['admin_state_up', 'external_gateway_info', 'routes'].some((name) => Object.hasOwn(values, name))) await wakeRouter(tx, ctx, deps, row.id, networks)
  return changed
})

export const deleteRouter = deleting(router, async (tx, ctx, deps, row) => {
  if ((await routers.interfacesOf(tx, [row.id])).has(row.id)) throw routerInUse(row.id)
  await setGateway(tx, ctx, deps, row, null, 1)
  await routers.remove(tx, row.id)
  await forget(tx, 'router', row.id)
  await remember(tx, 'router', row.id)
  await wakeRouter(tx, ctx, deps, row.id, row.gatewayNetworkId === null ? [] : [row.gatewayNetworkId])
})

// Some of a router's static routes, without telling the others: https://docs.openstack.org/api-ref/network/v2/#add-extra-routes-to-router
import type { Context } from '#base/context.ts'
import { Type } from '#kit/http/schema.ts'
import type { Operation } from '#kit/http/operation.ts'
import { operation, type Deps } from '../deps.ts'
import { routerNotFound } from '../faults.ts'
import * as policy from '../policy.ts'
import { viewer } from '../resource/attributes.ts'
import { mustBeAt, revisionAsked } from '../resource/if-match.ts'
import { targetOf } from '../resource/operations.ts'
import { racing } from '../resource/race.ts'
import { amend } from '../resource/store.ts'
import { checkRoutes } from '../subnets/check.ts'
import { routeShape, type Route } from '../subnets/noun.ts'
import { wakeRouter } from '../wanted/wake.ts'
import { checkNextHops } from './next-hops.ts'
import { router } from './noun.ts'
import * as routers from './store.ts'
import { routerViews } from './view.ts'

const body = Type.Object({ router: Type.Object({ routes: Type.Array(Type.Unsafe<Route>(routeShape)) }, { additionalProperties: false }) }, { additionalProperties: false })
const same = (a: Route) => (b: Route): boolean => a.destination === b.destination && a.nexthop === b.nexthop

/** Both are idempotent: what is there already, or gone already, is no error. */
const changing = (name: string, path: string, summary: string, change: (standing: Route[], asked: Route[]) => Route[]): Operation<Deps> => operation({
  name, method: 'PUT', path: `/routers/{router_id}/${path}`, summary, access: policy.change, target: targetOf(router), body,
  async handle(ctx: Context, { body, target, headers }, deps) {
    const asked = checkRoutes(body.router.routes, 'routes'), revision = revisionAsked(headers)
    const view = await racing(deps, async (tx) => {
      const row = await routers.find(tx, target.row.id)
      if (!row) throw routerNotFound(target.row.id)
      mustBeAt(row, revision)
      const routes = checkRoutes(change(JSON.parse(row.routes) as Route[], asked), 'routes')
      await checkNextHops(tx, row, routes)
      const changed = await amend(tx, 'networkRouters', row, { routes: JSON.stringify(routes) })
      await wakeRouter(tx, ctx, deps, row.id, row.gatewayNetworkId === null ? [] : [row.gatewayNetworkId])
      return (await routerViews(tx, [changed], deps))[0]!
    })
    return { router: viewer(router.attributes, ctx.actor)(view) }
  },
})

export const addExtraRoutes = changing('addExtraRoutes', 'add_extraroutes', 'Add static routes to a router.', (standing, asked) => [...standing, ...asked.filter((route) => !standing.some(same(route)))])
export const removeExtraRoutes = changing('removeExtraRoutes', 'remove_extraroutes', 'Take static routes off a router.', (standing, asked) => standing.filter((route) => !asked.some(same(route))))

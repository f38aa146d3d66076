// Where a router's static routes may lead.
import type { NetworkTx } from '../deps.ts'
import { invalidRoutes } from '../faults.ts'
import { subnetHas } from '../ipam/allocate.ts'
import type { RouterRow } from '../schema.ts'
import type { Route } from '../subnets/noun.ts'
import * as routers from './store.ts'

/** Next hops lie on the router's own subnets, and are not the router itself. */
export async function checkNextHops(tx: NetworkTx, row: RouterRow, routes: Route[]): Promise<void> {
  const standing = (await routers.interfacesOf(tx, [row.id], ['network:router_interface', 'network:router_gateway'])).get(row.id) ?? []
  for (const { nexthop } of routes) {
    if (!standing.some((i) => i.subnets.some((s) => subnetHas(s, nexthop)))) throw invalidRoutes(JSON.stringify(routes), 'the nexthop is not connected with router')
    if (standing.some((i) => i.addresses.some((a) => a.address === nexthop))) throw invalidRoutes(JSON.stringify(routes), 'the nexthop is used by router')
  }
}

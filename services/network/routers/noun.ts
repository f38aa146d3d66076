// A router: joins subnets, and leads outside.
import * as policy from '../policy.ts'
import { routerNotFound } from '../faults.ts'
import type { WantedIp } from '../ipam/allocate.ts'
import { anyone } from '#kit/policy/rules.ts'
import { free, readOnly } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import { ownedBy } from '../resource/store.ts'
import type { RouterRow } from '../schema.ts'
import { routeShape, type Route } from '../subnets/noun.ts'
import * as routers from './store.ts'
import { routerViews } from './view.ts'

export interface GatewayInfo { network_id?: string, enable_snat?: boolean | string, external_fixed_ips?: WantedIp[] }

const gatewayInfo = { anyOf: [{ type: 'null' }, {
  type: 'object', additionalProperties: false,
  properties: {
    network_id: kinds.shapes.uuid, enable_snat: kinds.boolean.schema,
    external_fixed_ips: { type: 'array', maxItems: 20, items: { type: 'object', additionalProperties: false, properties: { subnet_id: kinds.shapes.uuid, ip_address: kinds.shapes.ip } } },
  },
}] }

export const attributes = {
  ...standardAttributes, ...tagAttributes,
  admin_state_up: free(kinds.boolean, { column: 'adminStateUp', fallback: true }),
  status: readOnly(kinds.shown, { filter: true }),
  external_gateway_info: free(kinds.object<GatewayInfo | null>(gatewayInfo)),
  routes: { kind: kinds.list<Route>(routeShape), put: anyone },
} as const

export const router: Noun<RouterRow, typeof attributes> = {
  one: 'router', many: 'routers', path: '/routers', title: 'Router', titles: 'Routers', table: 'networkRouters',
  attributes, filters: routers.filters, visible: ownedBy, reads: policy.read, changes: policy.change, missing: routerNotFound, quota: 'router', view: routerViews,
  async find(tx, id) {
    const row = await routers.find(tx, id)
    return row && { row, owner: { projectId: row.projectId } }
  },
}

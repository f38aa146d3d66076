// A network: a broadcast domain of one project, shared with all, or the way out.
import * as policy from '../policy.ts'
import { networkNotFound } from '../faults.ts'
import { adminOnly, free, readOnly, once, type Attribute } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import type { NetworkRow } from '../schema.ts'
import * as networks from './store.ts'
import { networkViews } from './view.ts'

const provider = <V>(kind: kinds.Kind<V>, more: Partial<Attribute<V>>): Attribute<V> => once(kind, { post: policy.admin, see: policy.admin, ...more })
export const attributes = {
  ...standardAttributes, ...tagAttributes,
  'admin_state_up': free(kinds.boolean, { column: 'adminStateUp', fallback: true }),
  'status': readOnly(kinds.shown, { filter: true }),
  'shared': adminOnly(kinds.boolean, { column: 'shared', fallback: false }),
  'router:external': adminOnly(kinds.boolean, { column: 'external', fallback: false }),
  'is_default': adminOnly(kinds.boolean, { column: 'isDefault', fallback: false }),
  'port_security_enabled': free(kinds.boolean, { column: 'portSecurityEnabled' }),
  'mtu': free(kinds.integer(0, 65535), { column: 'mtu', fallback: 0 }),
  'dns_domain': free(kinds.text(), { column: 'dnsDomain', fallback: '' }),
  'subnets': readOnly(kinds.shown, { filter: true }),
  'provider:network_type': provider(kinds.textOrNull(32), { column: 'networkType' }),
  'provider:physical_network': provider(kinds.textOrNull(64), { column: 'physicalNetwork' }),
  'provider:segmentation_id': provider(kinds.integerOrNull(1, 16_777_215), { filter: true }),
} as const

export const networkTarget = (row: NetworkRow): policy.NetTarget => ({ projectId: row.projectId, networkProjectId: row.projectId, shared: row.shared === 1, external: row.external === 1 })

export const network: Noun<NetworkRow, typeof attributes> = {
  one: 'network', many: 'networks', path: '/networks', title: 'Network', titles: 'Networks', table: 'networkNetworks',
  attributes, filters: networks.filters, visible: networks.visible, reads: policy.readNetwork, changes: policy.change,
  missing: networkNotFound, quota: 'network', view: networkViews,
  async find(tx, id) {
    const row = await networks.find(tx, id)
    return row && { row, owner: networkTarget(row) }
  },
}

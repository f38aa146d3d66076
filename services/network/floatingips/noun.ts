// A floating IP: an address outside that leads to a port inside.
import { anyone } from '#kit/policy/rules.ts'
import * as policy from '../policy.ts'
import { floatingIpNotFound } from '../faults.ts'
import { free, once, readOnly } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import { ownedBy } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'
import * as floatingIps from './store.ts'
import { floatingIpViews } from './view.ts'

const { name: _noName, ...standard } = standardAttributes
export const attributes = {
  ...standard, ...tagAttributes,
  floating_network_id: once(kinds.uuid, { column: 'floatingNetworkId', required: true }),
  subnet_id: once(kinds.uuidOrNull),
  floating_ip_address: { kind: kinds.ipOrNull, post: policy.admin, column: 'floatingIpAddress' },
  port_id: free(kinds.uuidOrNull, { column: 'portId' }),
  fixed_ip_address: { kind: kinds.ipOrNull, post: anyone, put: anyone, column: 'fixedIpAddress' },
  router_id: readOnly(kinds.shown, { column: 'routerId' }),
  status: readOnly(kinds.shown, { filter: true }),
  dns_name: once(kinds.text(), { column: 'dnsName', fallback: '' }),
  dns_domain: once(kinds.text(), { column: 'dnsDomain', fallback: '' }),
} as const

export const floatingIp: Noun<FloatingIpRow, typeof attributes> = {
  one: 'floatingip', many: 'floatingips', path: '/floatingips', title: 'FloatingIp', titles: 'FloatingIps', table: 'networkFloatingIps',
  attributes, filters: floatingIps.filters, visible: ownedBy, reads: policy.read, changes: policy.change, missing: floatingIpNotFound, quota: 'floatingip', view: floatingIpViews,
  async find(tx, id) {
    const row = await floatingIps.find(tx, id)
    return row && { row, owner: { projectId: row.projectId } }
  },
}

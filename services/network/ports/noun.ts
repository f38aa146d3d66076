// A port: a card on a network, with its addresses and what may pass.
import { anyone } from '#kit/policy/rules.ts'
import * as policy from '../policy.ts'
import { portNotFound } from '../faults.ts'
import type { WantedIp } from '../ipam/allocate.ts'
import { networkTarget } from '../networks/noun.ts'
import * as networks from '../networks/store.ts'
import { free, once, readOnly } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import { ownedOrOnOwnNetwork } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'
import * as ports from './store.ts'
import { portViews } from './view.ts'

export interface Pair { ip_address: string, mac_address?: string }

const fixedIp = { type: 'object', additionalProperties: false, properties: { subnet_id: kinds.shapes.uuid, ip_address: kinds.shapes.ip } }
const pair = { type: 'object', additionalProperties: false, required: ['ip_address'], properties: { ip_address: { type: 'string', maxLength: 64 }, mac_address: kinds.shapes.mac } }
const owner = { post: policy.adminOrNetworkOwner, put: policy.adminOrNetworkOwner }
const binder = { post: policy.admin, put: policy.admin, see: policy.admin }

export const attributes = {
  ...standardAttributes, ...tagAttributes,
  'network_id': once(kinds.uuid, { column: 'networkId', required: true }),
  'admin_state_up': free(kinds.boolean, { column: 'adminStateUp', fallback: true }),
  'status': readOnly(kinds.shown, { filter: true }),
  'mac_address': { kind: kinds.mac, post: policy.adminOrNetworkOwner, put: policy.admin, column: 'macAddress' },
  // Which of them need the network's owner is decided by what they say: see checkRights.
  'fixed_ips': free(kinds.list<WantedIp>(fixedIp, (list: WantedIp[]) => list.map((ip) => ({ ...ip, ...(ip.ip_address !== undefined && { ip_address: kinds.address(ip.ip_address) }) }))), { filter: true }),
  'ip_address': readOnly(kinds.shown, { filter: true }), 'subnet_id': readOnly(kinds.shown, { filter: true }),
  'device_id': free(kinds.text(), { column: 'deviceId', fallback: '' }),
  'device_owner': free(kinds.text(), { column: 'deviceOwner', fallback: '' }),
  'security_groups': free(kinds.uuids, { filter: true }),
  'port_security_enabled': { kind: kinds.boolean, ...owner, column: 'portSecurityEnabled' },
  'allowed_address_pairs': { kind: kinds.list<Pair>(pair), ...owner, fallback: [] as Pair[] },
  'binding:host_id': { kind: kinds.hostOrNull, ...binder, column: 'host' },
  'binding:profile': { kind: kinds.object<Record<string, unknown> | null>({ type: ['object', 'null'] }), ...binder },
  'binding:vif_type': readOnly(kinds.shown, { see: policy.admin }),
  'binding:vif_details': readOnly(kinds.shown, { see: policy.admin }),
  'binding:vnic_type': { kind: kinds.choice('normal'), post: anyone, put: anyone, column: 'vnicType', fallback: 'normal' as const },
  'dns_name': free(kinds.text(), { column: 'dnsName', fallback: '' }),
} as const

export const port: Noun<PortRow, typeof attributes> = {
  one: 'port', many: 'ports', path: '/ports', title: 'Port', titles: 'Ports', table: 'networkPorts',
  attributes, filters: ports.filters, visible: ownedOrOnOwnNetwork, reads: policy.readOnNetwork, changes: policy.changeOnNetwork,
  missing: portNotFound, quota: 'port', view: portViews,
  async find(tx, id) {
    const row = await ports.find(tx, id)
    if (!row) return undefined
    const on = await networks.find(tx, row.networkId)
    return { row, owner: { ...(on && networkTarget(on)), projectId: row.projectId } }
  },
}

// https://docs.openstack.org/api-ref/network/v2/#ports
import type { Deps, NetworkTx } from '../deps.ts'
import * as addresses from '../ipam/store.ts'
import * as networks from '../networks/store.ts'
import { standardView } from '../resource/noun.ts'
import { reportsOn, tagsOf } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'
import type { Pair } from './noun.ts'
import * as ports from './store.ts'

export type Reports = Map<string, Map<string, { state: string, detail: string }>>

/** From what the host says and what is wanted. */
export function portStatus(row: PortRow, reports: Reports): 'ACTIVE' | 'DOWN' | 'ERROR' | 'N/A' {
  if (row.deviceOwner === 'network:floatingip') return 'N/A'
  const state = row.host === '' ? undefined : reports.get(row.id)?.get(row.host)?.state
  if (state === 'error') return 'ERROR'
  return state === 'up' && row.adminStateUp === 1 ? 'ACTIVE' : 'DOWN'
}

/** The name a guest has on its network: the port's own, or one made of its address. */
export const hostname = (dnsName: string, address: string): string => dnsName || `host-${address.replace(/[.:]+/g, '-')}`

export async function portViews(tx: NetworkTx, rows: PortRow[], { config }: Deps): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const fixed = await addresses.addressesOf(tx, ids), groups = await ports.groupsOf(tx, ids), tags = await tagsOf(tx, ids), reports = await reportsOn(tx, 'port', ids)
  const onNetworks = await networks.byIds(tx, rows.map((row) => row.networkId))
  return rows.map((row) => {
    const ips = fixed.get(row.id) ?? []
    const domain = (onNetworks.get(row.networkId)?.dnsDomain || config.dnsDomain).replace(/\.$/, '')
    return {
      ...standardView(row), network_id: row.networkId, admin_state_up: row.adminStateUp === 1, mac_address: row.macAddress, status: portStatus(row, reports),
      device_id: row.deviceId, device_owner: row.deviceOwner, fixed_ips: ips.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.address })),
      'security_groups': groups.get(row.id) ?? [], 'allowed_address_pairs': (JSON.parse(row.allowedAddressPairs) as Pair[]).map((pair) => ({ mac_address: row.macAddress, ...pair })), 'port_security_enabled': row.portSecurityEnabled === 1,
      'binding:vnic_type': row.vnicType, 'binding:host_id': row.host, 'binding:profile': JSON.parse(row.profile) as object,
      'binding:vif_type': row.host === '' ? 'unbound' : 'tap', 'binding:vif_details': row.host === '' ? {} : { port_filter: true, connectivity: 'l2' },
      'dns_name': row.dnsName, 'dns_assignment': ips.map((ip) => { const name = hostname(row.dnsName, ip.address); return { ip_address: ip.address, hostname: name, fqdn: `${name}.${domain}.` } }),
      'tags': tags.get(row.id) ?? [],
    }
  })
}

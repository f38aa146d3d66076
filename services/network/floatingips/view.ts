// https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips
import type { Deps, NetworkTx } from '../deps.ts'
import * as ports from '../ports/store.ts'
import { portStatus } from '../ports/view.ts'
import { standardView } from '../resource/noun.ts'
import { reportsOn, tagsOf } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'

/** Active once the network host says that it is applied to this very address. */
export function floatingIpStatus(row: FloatingIpRow, reports: Map<string, { state: string, detail: string }> | undefined): 'ACTIVE' | 'DOWN' | 'ERROR' {
  if (row.portId === null) return 'DOWN'
  for (const { state, detail } of reports?.values() ?? []) {
    if (state === 'error') return 'ERROR'
    if (state === 'up' && detail === row.fixedIpAddress) return 'ACTIVE'
  }
  return 'DOWN'
}

export async function floatingIpViews(tx: NetworkTx, rows: FloatingIpRow[], _deps: Deps): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const tags = await tagsOf(tx, ids), reports = await reportsOn(tx, 'floatingip', ids)
  const bound = new Map((await ports.byIds(tx, rows.flatMap((row) => row.portId ?? []))).map((p) => [p.id, p]))
  const portReports = await reportsOn(tx, 'port', [...bound.keys()])
  return rows.map((row) => {
    const port = row.portId === null ? undefined : bound.get(row.portId)
    return {
      ...standardView(row), floating_network_id: row.floatingNetworkId, floating_ip_address: row.floatingIpAddress, fixed_ip_address: row.fixedIpAddress, port_id: row.portId, router_id: row.routerId,
      status: floatingIpStatus(row, reports.get(row.id)), dns_name: row.dnsName, dns_domain: row.dnsDomain,
      port_details: port ? {
        name: port.name, network_id: port.networkId, mac_address: port.macAddress, admin_state_up: port.adminStateUp === 1, status: portStatus(port, portReports), device_id: port.deviceId, device_owner: port.deviceOwner,
      } : null,
      tags: tags.get(row.id) ?? [],
    }
  })
}

// https://docs.openstack.org/api-ref/network/v2/#routers-routers
import type { Deps, NetworkTx } from '../deps.ts'
import { addressesOf } from '../ipam/store.ts'
import { standardView } from '../resource/noun.ts'
import { reportsOn, tagsOf } from '../resource/store.ts'
import type { RouterRow } from '../schema.ts'

export async function routerViews(tx: NetworkTx, rows: RouterRow[], _deps: Deps): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const tags = await tagsOf(tx, ids), reports = await reportsOn(tx, 'router', ids), outside = await addressesOf(tx, rows.flatMap((row) => row.gatewayPortId ?? []))
  return rows.map((row) => ({
    ...standardView(row), admin_state_up: row.adminStateUp === 1,
    status: [...reports.get(row.id)?.values() ?? []].some((r) => r.state === 'error') ? 'ERROR' : 'ACTIVE',
    external_gateway_info: row.gatewayNetworkId === null || row.gatewayPortId === null ? null : {
      network_id: row.gatewayNetworkId, external_fixed_ips: (outside.get(row.gatewayPortId) ?? []).map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.address })), enable_snat: row.enableSnat === 1,
    },
    routes: JSON.parse(row.routes) as object[], tags: tags.get(row.id) ?? [],
  }))
}

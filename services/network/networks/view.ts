// https://docs.openstack.org/api-ref/network/v2/#networks
import type { Deps, NetworkTx } from '../deps.ts'
import { standardView } from '../resource/noun.ts'
import { reportsOn, tagsOf } from '../resource/store.ts'
import type { NetworkRow } from '../schema.ts'
import * as networks from './store.ts'

export async function networkViews(tx: NetworkTx, rows: NetworkRow[], _deps: Deps): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const subnets = await networks.subnetIds(tx, ids), tags = await tagsOf(tx, ids), reports = await reportsOn(tx, 'network', ids)
  return rows.map((row) => ({
    ...standardView(row), admin_state_up: row.adminStateUp === 1, mtu: Number(row.mtu),
    status: [...reports.get(row.id)?.values() ?? []].some((r) => r.state === 'error') ? 'ERROR' : 'ACTIVE',
    'shared': row.shared === 1, 'router:external': row.external === 1, ...(row.external === 1 && { is_default: row.isDefault === 1 }),
    subnets: subnets.get(row.id) ?? [], port_security_enabled: row.portSecurityEnabled === 1, dns_domain: row.dnsDomain,
    'provider:network_type': row.networkType, 'provider:physical_network': row.physicalNetwork, 'provider:segmentation_id': row.networkType === 'flat' ? null : Number(row.segmentId),
    tags: tags.get(row.id) ?? [],
  }))
}

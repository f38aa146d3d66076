// https://docs.openstack.org/api-ref/network/v2/#subnets
import type { Deps, NetworkTx } from '../deps.ts'
import { standardView } from '../resource/noun.ts'
import { tagsOf } from '../resource/store.ts'
import type { SubnetRow } from '../schema.ts'

export async function subnetViews(tx: NetworkTx, rows: SubnetRow[], _deps: Deps): Promise<Record<string, unknown>[]> {
  const tags = await tagsOf(tx, rows.map((row) => row.id))
  return rows.map((row) => ({
    ...standardView(row), network_id: row.networkId, ip_version: Number(row.ipVersion), subnetpool_id: null, enable_dhcp: row.enableDhcp === 1,
    ipv6_ra_mode: row.ipv6RaMode, ipv6_address_mode: row.ipv6AddressMode, gateway_ip: row.gatewayIp, cidr: row.cidr,
    allocation_pools: JSON.parse(row.allocationPools) as object[], host_routes: JSON.parse(row.hostRoutes) as object[], dns_nameservers: JSON.parse(row.dnsNameservers) as string[],
    tags: tags.get(row.id) ?? [],
  }))
}

// Reads what a host's wanted state is made of, with a constant number of queries.
import type { NetworkTx } from '../deps.ts'
import * as floatingIps from '../floatingips/store.ts'
import * as addresses from '../ipam/store.ts'
import type { FixedIp } from '../ipam/store.ts'
import * as networks from '../networks/store.ts'
import * as ports from '../ports/store.ts'
import * as routers from '../routers/store.ts'
import type { FloatingIpRow, NetworkRow, PortRow, RouterRow, RuleRow, SubnetRow } from '../schema.ts'
import * as groups from '../security-groups/store.ts'
import * as bound from './store.ts'

export interface NetworkParts { row: NetworkRow, subnets: SubnetRow[], ports: PortRow[], fixed: Map<string, FixedIp[]> }

/** Networks with their subnets and, where this host serves their addresses, their bound ports. */
export async function networkParts(tx: NetworkTx, ids: string[], host: string): Promise<NetworkParts[]> {
  const rows = await networks.byIds(tx, ids)
  const subnets = await bound.subnetsOf(tx, [...rows.keys()]), onThem = await bound.boundOn(tx, await bound.servedFrom(tx, [...rows.keys()], host))
  const fixed = await addresses.addressesOf(tx, onThem.map((p) => p.id))
  return [...rows.values()].map((row) => ({ row, subnets: subnets.filter((s) => s.networkId === row.id), ports: onThem.filter((p) => p.networkId === row.id), fixed }))
}

export interface PortParts {
  row: PortRow
  network: NetworkRow
  fixed: FixedIp[]
  rules: RuleRow[]
}

export async function portParts(tx: NetworkTx, rows: PortRow[]): Promise<PortParts[]> {
  const ids = rows.map((row) => row.id)
  const fixed = await addresses.addressesOf(tx, ids), groupIds = await ports.groupsOf(tx, ids), onNetworks = await networks.byIds(tx, rows.map((row) => row.networkId))
  const rules = await groups.rulesOf(tx, [...new Set([...groupIds.values()].flat())])
  return rows.flatMap((row) => {
    const network = onNetworks.get(row.networkId)
    return network ? [{ row, network, fixed: fixed.get(row.id) ?? [], rules: (groupIds.get(row.id) ?? []).flatMap((id) => rules.get(id) ?? []) }] : []
  })
}

export interface RouterParts { row: RouterRow, interfaces: routers.Interface[], gateway?: routers.Interface, floating: FloatingIpRow[] }

export async function routerParts(tx: NetworkTx, rows: RouterRow[]): Promise<RouterParts[]> {
  const ids = rows.map((row) => row.id)
  const attached = await routers.interfacesOf(tx, ids, ['network:router_interface', 'network:router_gateway']), floating = await floatingIps.ofRouters(tx, ids)
  return rows.map((row) => {
    const all = attached.get(row.id) ?? [], gateway = all.find((i) => i.port.deviceOwner === 'network:router_gateway')
    return { row, interfaces: all.filter((i) => i !== gateway), ...(gateway && { gateway }), floating: floating.filter((f) => f.routerId === row.id) }
  })
}

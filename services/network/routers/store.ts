// Rows of routers, and their interfaces (which are ports).
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { lostRace } from '../resource/race.ts'
import { padded, tagFilters, type Filters } from '../resource/store.ts'
import type { AddressRow, PortRow, RouterRow, SubnetRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<RouterRow | undefined> => tx.db.selectFrom('networkRouters').selectAll().where('id', '=', id).executeTakeFirst()
export const byIds = async (tx: NetworkTx, ids: string[]): Promise<RouterRow[]> => ids.length === 0 ? [] : tx.db.selectFrom('networkRouters').selectAll().where('id', 'in', padded(ids)).execute()
export const all = (tx: NetworkTx): Promise<RouterRow[]> => tx.db.selectFrom('networkRouters').selectAll().execute()
export const add = (tx: NetworkTx, row: RouterRow): Promise<void> => insert(tx, 'networkRouters', { ...row }, lostRace)
export const remove = async (tx: NetworkTx, id: string): Promise<void> => { await tx.db.deleteFrom('networkRouters').where('id', '=', id).execute() }

export interface Interface { port: PortRow, addresses: AddressRow[], subnets: SubnetRow[] }

/** The ports of routers (interfaces and gateways) with their addresses and subnets, by router. */
export async function interfacesOf(tx: NetworkTx, routerIds: string[], owners = ['network:router_interface']): Promise<Map<string, Interface[]>> {
  const found = new Map<string, Interface[]>()
  if (routerIds.length === 0) return found
  const ports = await tx.db.selectFrom('networkPorts').selectAll().where('deviceId', 'in', padded(routerIds)).where('deviceOwner', 'in', owners).orderBy('createdAt').orderBy('id').execute()
  if (ports.length === 0) return found
  const addresses = await tx.db.selectFrom('networkAddresses').selectAll().where('portId', 'in', padded(ports.map((p) => p.id))).orderBy('addressKey').execute()
  const subnets = new Map(addresses.length === 0 ? [] : (await tx.db.selectFrom('networkSubnets').selectAll().where('id', 'in', padded([...new Set(addresses.map((a) => a.subnetId))])).execute()).map((s) => [s.id, s]))
  for (const port of ports) {
    const own = addresses.filter((a) => a.portId === port.id)
    const item = { port, addresses: own, subnets: own.flatMap((a) => subnets.get(a.subnetId) ?? []) }
    const known = found.get(port.deviceId)
    if (known) known.push(item)
    else found.set(port.deviceId, [item])
  }
  return found
}

const failed = (eb: Parameters<Filters[string]>[0]) => eb('id', 'in', eb.selectFrom('networkReports').select('resourceId').where('kind', '=', 'router').where('state', '=', 'error'))
export const filters: Filters = {
  ...tagFilters,
  status: (eb, values) => eb.or([...(values.includes('ACTIVE') ? [eb.not(failed(eb))] : []), ...(values.includes('ERROR') ? [failed(eb)] : [])]),
}

// Rows of floating IPs.
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { lostRace } from '../resource/race.ts'
import { padded, tagFilters, type Condition, type Filters } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<FloatingIpRow | undefined> => tx.db.selectFrom('networkFloatingIps').selectAll().where('id', '=', id).executeTakeFirst()
export const ofPort = (tx: NetworkTx, portId: string): Promise<FloatingIpRow[]> => tx.db.selectFrom('networkFloatingIps').selectAll().where('portId', '=', portId).execute()
export const ofPorts = async (tx: NetworkTx, portIds: string[]): Promise<FloatingIpRow[]> =>
  portIds.length === 0 ? [] : tx.db.selectFrom('networkFloatingIps').selectAll().where('portId', 'in', padded(portIds)).execute()
export const ofRouters = async (tx: NetworkTx, routerIds: string[]): Promise<FloatingIpRow[]> =>
  routerIds.length === 0 ? [] : tx.db.selectFrom('networkFloatingIps').selectAll().where('routerId', 'in', padded(routerIds)).execute()
/** Those of a network that lead nowhere. */
export const looseOn = (tx: NetworkTx, networkId: string): Promise<FloatingIpRow[]> =>
  tx.db.selectFrom('networkFloatingIps').selectAll().where('floatingNetworkId', '=', networkId).where('portId', 'is', null).execute()
export const add = (tx: NetworkTx, row: FloatingIpRow): Promise<void> => insert(tx, 'networkFloatingIps', { ...row }, lostRace)
export const remove = async (tx: NetworkTx, id: string): Promise<void> => { await tx.db.deleteFrom('networkFloatingIps').where('id', '=', id).execute() }

/** Routers that stand between a subnet and an external network, with their address on the subnet. */
export const routersBetween = (tx: NetworkTx, subnetId: string, externalNetworkId: string): Promise<{ id: string, address: string }[]> =>
  tx.db.selectFrom('networkAddresses').innerJoin('networkPorts', 'networkPorts.id', 'networkAddresses.portId').innerJoin('networkRouters', 'networkRouters.id', 'networkPorts.deviceId')
    .select(['networkRouters.id', 'networkAddresses.address']).where('networkAddresses.subnetId', '=', subnetId).where('networkPorts.deviceOwner', '=', 'network:router_interface')
    .where('networkRouters.gatewayNetworkId', '=', externalNetworkId).orderBy('networkRouters.id').execute()

type Eb = Parameters<Filters[string]>[0]
const applied = (eb: Eb, state: string): Condition => eb('id', 'in', eb.selectFrom('networkReports').select('resourceId').where('kind', '=', 'floatingip').where('state', '=', state)
  .whereRef('networkReports.detail', '=', 'networkFloatingIps.fixedIpAddress'))
export const filters: Filters = {
  ...tagFilters,
  status: (eb, values) => eb.or(values.flatMap((v) => v === 'ACTIVE' ? [applied(eb, 'up')] : v === 'DOWN' ? [eb.not(applied(eb, 'up'))] : [])),
}

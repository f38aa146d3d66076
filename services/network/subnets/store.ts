// Rows of subnets.
import { insert } from '#kit/store/rows.ts'
import { flag } from '#kit/store/store.ts'
import type { NetworkTx } from '../deps.ts'
import { isTrue } from '../resource/kinds.ts'
import { lostRace } from '../resource/race.ts'
import { padded, tagFilters, type Filters, type Visible } from '../resource/store.ts'
import type { SubnetRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<SubnetRow | undefined> => tx.db.selectFrom('networkSubnets').selectAll().where('id', '=', id).executeTakeFirst()
/** In the order they were made: the first with room is where ports get their addresses. */
export const ofNetwork = (tx: NetworkTx, networkId: string): Promise<SubnetRow[]> =>
  tx.db.selectFrom('networkSubnets').selectAll().where('networkId', '=', networkId).orderBy('createdAt').orderBy('id').execute()
export async function byIds(tx: NetworkTx, ids: Iterable<string>): Promise<Map<string, SubnetRow>> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map()
  return new Map((await tx.db.selectFrom('networkSubnets').selectAll().where('id', 'in', padded(wanted)).execute()).map((row) => [row.id, row]))
}
export const add = (tx: NetworkTx, row: SubnetRow): Promise<void> => insert(tx, 'networkSubnets', { ...row }, lostRace)
export const remove = async (tx: NetworkTx, id: string): Promise<void> => { await tx.db.deleteFrom('networkSubnets').where('id', '=', id).execute() }

export const visible: Visible = (eb, projectId) => eb.or([
  eb('projectId', '=', projectId),
  eb('networkId', 'in', eb.selectFrom('networkNetworks').select('id').where((of) => of.or([of('shared', '=', 1), of('projectId', '=', projectId)]))),
])
export const filters: Filters = {
  ...tagFilters,
  shared: (eb, values) => eb('networkId', 'in', eb.selectFrom('networkNetworks').select('id').where('shared', 'in', [...new Set(values.map((value) => flag(isTrue(value))))])),
}

/** Who holds addresses of a subnet: ports and their owners. */
export const holders = (tx: NetworkTx, subnetId: string): Promise<{ portId: string, deviceOwner: string }[]> =>
  tx.db.selectFrom('networkAddresses').innerJoin('networkPorts', 'networkPorts.id', 'networkAddresses.portId').select(['networkAddresses.portId', 'networkPorts.deviceOwner'])
    .where('networkAddresses.subnetId', '=', subnetId).execute()

// Rows of networks.
import { flatNetworkInUse } from '../faults.ts'
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { padded, tagFilters, type Filters, type Visible } from '../resource/store.ts'
import { lostRace } from '../resource/race.ts'
import type { NetworkRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<NetworkRow | undefined> =>
  tx.db.selectFrom('networkNetworks').selectAll().where('id', '=', id).executeTakeFirst()

export const visible: Visible = (eb, projectId) => eb.or([eb('projectId', '=', projectId), eb('shared', '=', 1), eb('external', '=', 1)])
const failed = (eb: Parameters<Visible>[0]) => eb('id', 'in', eb.selectFrom('networkReports').select('resourceId').where('kind', '=', 'network').where('state', '=', 'error'))
export const filters: Filters = {
  ...tagFilters,
  'status': (eb, values) => eb.or([...(values.includes('ACTIVE') ? [eb.not(failed(eb))] : []), ...(values.includes('ERROR') ? [failed(eb)] : [])]),
  'subnets': (eb, values) => eb('id', 'in', eb.selectFrom('networkSubnets').select('networkId').where('id', 'in', values)),
  'provider:segmentation_id': (eb, values) => eb.and([eb('networkType', '=', 'vxlan'), eb('segmentId', 'in', values.map(Number).filter(Number.isInteger).concat(-1))]),
}

export async function subnetIds(tx: NetworkTx, networkIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (networkIds.length === 0) return found
  for (const { id, networkId } of await tx.db.selectFrom('networkSubnets').select(['id', 'networkId']).where('networkId', 'in', padded(networkIds)).orderBy('createdAt').orderBy('id').execute()) {
    const known = found.get(networkId)
    if (known) known.push(id)
    else found.set(networkId, [id])
  }
  return found
}

/** Networks by id, for views of what lies on them. */
export async function byIds(tx: NetworkTx, ids: Iterable<string>): Promise<Map<string, NetworkRow>> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map()
  return new Map((await tx.db.selectFrom('networkNetworks').selectAll().where('id', 'in', padded(wanted)).execute()).map((row) => [row.id, row]))
}

/** A free identifier on the overlay: the next one up, and after a lost race one a little further. */
export async function freeSegment(tx: NetworkTx, { first, last }: { first: number, last: number }, attempt: number): Promise<number> {
  const top = await tx.db.selectFrom('networkNetworks').select((eb) => eb.fn.max('segmentId').as('top')).where('segmentId', '<=', last).executeTakeFirst()
  const next = Math.max(first, Number(top?.top ?? 0) + 1) + Math.floor(Math.random() * 8 * (attempt - 1))
  // The range was once used up to its end: anywhere in it, and the unique index decides.
  return next <= last ? next : first + Math.floor(Math.random() * (last - first + 1))
}

export const bySegment = (tx: NetworkTx, segmentId: number): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkNetworks').select('id').where('segmentId', '=', segmentId).executeTakeFirst()

export async function add(tx: NetworkTx, row: NetworkRow): Promise<void> {
  if (row.physicalNetwork !== null) {
    const standing = await tx.db.selectFrom('networkNetworks').select('id').where('physicalNetwork', '=', row.physicalNetwork).executeTakeFirst()
    if (standing) throw flatNetworkInUse(row.physicalNetwork)
  }
  await insert(tx, 'networkNetworks', { ...row }, lostRace)
}

/** Ports that keep a network from being removed. */
export const portsInUse = (tx: NetworkTx, id: string): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkPorts').select('id').where('networkId', '=', id).where('deviceOwner', '!=', 'network:dhcp').limit(1).executeTakeFirst()

/** Something of another project stands on it. */
export const usedByOthers = async (tx: NetworkTx, row: NetworkRow): Promise<boolean> => {
  for (const table of ['networkPorts', 'networkSubnets'] as const) {
    if (await tx.db.selectFrom(table).select('id').where('networkId', '=', row.id).where('projectId', 'not in', [row.projectId, '']).limit(1).executeTakeFirst()) return true
  }
  return false
}

export const gatewaysOn = (tx: NetworkTx, id: string): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkPorts').select('id').where('networkId', '=', id).where('deviceOwner', 'in', ['network:router_gateway', 'network:floatingip']).limit(1).executeTakeFirst()

/** Only one external network is the default one. */
export const otherDefault = (tx: NetworkTx, id: string): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkNetworks').select('id').where('isDefault', '=', 1).where('id', '!=', id).executeTakeFirst()

export const remove = async (tx: NetworkTx, id: string): Promise<void> => { await tx.db.deleteFrom('networkNetworks').where('id', '=', id).execute() }

// Fixed addresses: one row a network and address, so that whoever comes second loses, on every engine.
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { lostRace } from '../resource/race.ts'
import { padded } from '../resource/store.ts'
import type { AddressRow, SubnetRow } from '../schema.ts'
import { formatIp, fromKey, keyOf, parseIp, type Range } from './ip.ts'

export interface FixedIp { subnetId: string, address: string }

/** Fixed addresses by port, in a stable order. */
export async function addressesOf(tx: NetworkTx, portIds: string[]): Promise<Map<string, FixedIp[]>> {
  const found = new Map<string, FixedIp[]>()
  if (portIds.length === 0) return found
  const rows = await tx.db.selectFrom('networkAddresses').select(['portId', 'subnetId', 'address', 'addressKey']).where('portId', 'in', padded(portIds)).execute()
  // IPv4 first: its keys are shorter.
  rows.sort((a, b) => a.addressKey.length - b.addressKey.length || (a.addressKey < b.addressKey ? -1 : 1))
  for (const { portId, subnetId, address } of rows) {
    const known = found.get(portId)
    if (known) known.push({ subnetId, address })
    else found.set(portId, [{ subnetId, address }])
  }
  return found
}

export const holder = (tx: NetworkTx, networkId: string, address: string): Promise<AddressRow | undefined> => {
  const ip = parseIp(address)!
  return tx.db.selectFrom('networkAddresses').selectAll().where('networkId', '=', networkId).where('addressKey', '=', keyOf(ip)).executeTakeFirst()
}

export const take = (tx: NetworkTx, networkId: string, subnetId: string, portId: string, addresses: string[]): Promise<void> =>
  insert(tx, 'networkAddresses', addresses.map((address) => ({ networkId, addressKey: keyOf(parseIp(address)!), address, subnetId, portId })), lostRace)

export const giveBack = async (tx: NetworkTx, portId: string, addresses?: string[]): Promise<void> => {
  let query = tx.db.deleteFrom('networkAddresses').where('portId', '=', portId)
  if (addresses) query = query.where('address', 'in', addresses)
  await query.execute()
}

const windowRows = 1000

/** The first gap in a range, walking over what is taken in windows. */
async function firstGap(tx: NetworkTx, subnetId: string, version: 4 | 6, range: Range): Promise<bigint | undefined> {
  let at = range.first
  for (;;) {
    const taken = await tx.db.selectFrom('networkAddresses').select('addressKey').where('subnetId', '=', subnetId)
      .where('addressKey', '>=', keyOf({ version, value: at })).where('addressKey', '<=', keyOf({ version, value: range.last })).orderBy('addressKey').limit(windowRows).execute()
    for (const { addressKey } of taken) {
      if (fromKey(addressKey).value !== at) return at
      at++
    }
    if (at > range.last) return undefined
    if (taken.length < windowRows) return at
  }
}

/**
 * A free address of a subnet's pools, undefined when they are used up. The one after the highest in use, so that a large pool costs one look-up and what
 * was given back rests a while; a gap once the top is reached. After a lost race a few further on, so that many writers spread out.
 */
export async function freeAddress(tx: NetworkTx, subnet: SubnetRow, attempt: number): Promise<string | undefined> {
  const version = subnet.ipVersion === 6 ? 6 : 4
  const pools = (JSON.parse(subnet.allocationPools) as { start: string, end: string }[]).map((p): Range => ({ first: parseIp(p.start)!.value, last: parseIp(p.end)!.value }))
  for (const pool of pools) {
    const top = await tx.db.selectFrom('networkAddresses').select((eb) => eb.fn.max('addressKey').as('top')).where('subnetId', '=', subnet.id)
      .where('addressKey', '>=', keyOf({ version, value: pool.first })).where('addressKey', '<=', keyOf({ version, value: pool.last })).executeTakeFirst()
    const next = (top?.top ? fromKey(top.top).value + 1n : pool.first) + BigInt(Math.floor(Math.random() * 6 * (attempt - 1)))
    const free = next <= pool.last ? next : await firstGap(tx, subnet.id, version, pool)
    if (free !== undefined) return formatIp({ version, value: free })
  }
  return undefined
}

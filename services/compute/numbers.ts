// Whole numbers that count up, for nova's older ids: the counter row is locked by the transaction that adds to it.
import { count, counts } from '#kit/store/rows.ts'
import type { ComputeTx } from './deps.ts'

/** The first of `howMany` numbers that nobody else gets. Numbers of a transaction that fails are used again. */
export async function nextNumber(tx: ComputeTx, what: 'servers' | 'keypairs' | 'hypervisors' | 'services' | 'aggregates', howMany = 1): Promise<number> {
  const name = `compute.numbers.${what}`
  await count(tx, name, howMany)
  return (await counts(tx, name)).get('')! - howMany + 1
}

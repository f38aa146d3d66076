// Filters that only this process can judge, over many rows: in slices, between which everybody else has a turn. An expression of a stranger's takes milliseconds a name.
import { setImmediate as nextTurn } from 'node:timers/promises'

const sliceMs = 10

/** The rows that fit. */
export async function fitting<T>(rows: readonly T[], fits: (row: T) => boolean): Promise<T[]> {
  const found: T[] = []
  let since = performance.now()
  for (const row of rows) {
    if (fits(row)) found.push(row)
    if (performance.now() - since < sliceMs) continue
    await nextTurn()
    since = performance.now()
  }
  return found
}

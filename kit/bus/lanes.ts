// Runs work in order within a lane and side by side across lanes, at most so much at once.

export interface Lanes {
  /** Waits for all earlier work of the lane, then runs. Waiting costs no slot. */
  inOrder<T>(lane: string, work: () => Promise<T>): Promise<T>
  /** Waits for a free slot, then runs. */
  slot<T>(work: () => Promise<T>): Promise<T>
}

export function lanes(concurrency: number): Lanes {
  const tails = new Map<string, Promise<unknown>>()
  const waiting: (() => void)[] = []
  let free = Math.max(1, concurrency)
  return {
    inOrder(lane, work) {
      const mine = (tails.get(lane) ?? Promise.resolve()).then(work, work)
      const tail = mine.catch(() => {}).then(() => { if (tails.get(lane) === tail) tails.delete(lane) })
      tails.set(lane, tail)
      return mine
    },
    async slot(work) {
      if (free > 0) free--
      else await new Promise<void>((go) => waiting.push(go))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free++
      }
    },
  }
}

// Runs work in order within a lane and side by side across lanes, at most so much at once.
import { Serial } from '#base/serial.ts'

export interface Lanes {
  /** Waits for all earlier work of the lane, then runs. Waiting costs no slot. */
  inOrder<T>(lane: string, work: () => Promise<T>): Promise<T>
  /** Waits for a free slot, then runs. */
  slot<T>(work: () => Promise<T>): Promise<T>
}

export function lanes(concurrency: number): Lanes {
  const order = new Serial()
  const waiting: (() => void)[] = []
  let free = Math.max(1, concurrency)
  return {
    inOrder: (lane, work) => order.run(lane, work),
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

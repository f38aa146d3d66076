// Waiting with patience: the only place that sleeps.
import { setTimeout as delay } from 'node:timers/promises'

export interface Backoff { firstMs: number, maxMs: number, attempts: number }

/** The pause before attempt `n` (1-based), doubled each time and shaken by up to a quarter so that many callers spread out. */
export const pauseMs = (n: number, b: Pick<Backoff, 'firstMs' | 'maxMs'>): number =>
  Math.round(Math.min(b.maxMs, b.firstMs * 2 ** (n - 1)) * (0.75 + Math.random() / 4))

/** Runs `work` until it succeeds, gives an error that `again` refuses, or the attempts are used up; then throws the last error. */
export async function retry<T>(work: (attempt: number) => Promise<T>, b: Backoff, again: (error: unknown) => boolean = () => true, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt >= b.attempts || signal?.aborted || !again(error)) throw error
      await delay(pauseMs(attempt, b), undefined, { signal }).catch(() => { throw error })
    }
  }
}

/** Asks `probe` until it answers something other than undefined; throws `what` with the time waited when `timeoutMs` is over. */
export async function waitFor<T>(what: string, probe: () => Promise<T | undefined> | T | undefined, timeoutMs: number, everyMs = 50): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined) return answer
    if (Date.now() >= end) throw new Error(`gave up waiting for ${what} after ${timeoutMs} ms`)
    await delay(everyMs)
  }
}

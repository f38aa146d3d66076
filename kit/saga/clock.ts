// Time as sagas see it, so that tests can hold it. Sagas themselves must not see any (law a).
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Resolves when the time is over or the signal aborts, whichever comes first. `background` waits do not keep the process alive. */
  sleep(ms: number, signal: AbortSignal, background?: boolean): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal, background = false) => delay(ms, undefined, { signal, ref: !background }).catch(() => {}),
}

/** Lets everything that can go on without I/O go on. */
export const turn = (): Promise<void> => immediate()

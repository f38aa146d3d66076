// Failed log-ins are counted by user and source, by source, and by user, for all control planes of the cloud together; past a limit the answer is 429 before anything is hashed.
// Why so: docs/decisions/0005-login-failures.md
import { createHash } from 'node:crypto'
import { tooManyRequests } from '#base/errors.ts'
import { Serial } from '#base/serial.ts'
import { sourceOf } from '#kit/http/address.ts'
import type { Store } from '#kit/store/store.ts'
import type { IdentityTables } from '../schema.ts'
import * as buckets from './limiter-store.ts'

/** So many failures at once, and one more after each pause. */
export interface Allowance { burst: number, everySeconds: number }
/** How much is allowed; password log-ins' own numbers where nothing is said. */
export interface LimiterSetup {
  pair?: Allowance
  source?: Allowance
  user?: Allowance
  /** Epoch milliseconds. */
  clock?: () => number
  /** What is counted under another name is counted for itself. */
  name?: string
}

/** Counts failures. `user` is a claim, whether or not there is such a user; `address` the source's. */
export interface FailureLimiter {
  /**
   * Throws 429 when this user, source or both have failed too often of late. Whether `succeeded` has something to write down: that he failed before, or that he
   * comes from here.
   */
  check(user: string, address: string): Promise<boolean>
  failed(user: string, address: string): Promise<void>
  succeeded(user: string, address: string): Promise<void>
  /**
   * An attempt, checked and counted; undefined says that it failed. Attempts of one user from one source follow each other: of many at once each is checked when those
   * before it were counted. For what has no queue of its own, as hashing has.
   */
  judged<T>(user: string, address: string, attempt: () => Promise<T | undefined>): Promise<T | undefined>
}

/** From where somebody got in so lately he is not held up by strangers who fail in his name. */
const rememberedMs = 30 * 86_400_000
/** So often, whatever is written, the buckets that are empty by now are thrown away. */
const writesBetweenSweeps = 100

export function createLimiter(store: Store<IdentityTables>, setup: LimiterSetup = {}): FailureLimiter {
  const allowances = {
    pair: setup.pair ?? { burst: 10, everySeconds: 6 }, source: setup.source ?? { burst: 100, everySeconds: 1 }, user: setup.user ?? { burst: 200, everySeconds: 3 },
  }
  const { clock = Date.now, name = 'password' } = setup
  const turns = new Serial()
  let writes = 0
  const sweep = (): boolean => ++writes % writesBetweenSweeps === 0
  // A digest: whatever a stranger says is no longer than it, and is not kept.
  const bucket = (...of: string[]): string => createHash('sha256').update(JSON.stringify([name, ...of])).digest('base64url')
  const pairOf = (user: string, address: string): string => bucket('pair', sourceOf(address), user)
  const homeOf = (user: string, address: string): string => bucket('home', sourceOf(address), user)
  const bucketsOf = (user: string, address: string): [string, Allowance][] =>
    [[pairOf(user, address), allowances.pair], [bucket('source', sourceOf(address)), allowances.source], [bucket('user', user), allowances.user]]
  const limiter: FailureLimiter = {
    async check(user, address) {
      const all = bucketsOf(user, address), home = homeOf(user, address)
      const known = await store.read((tx) => buckets.emptyAt(tx, [home, ...all.map(([key]) => key)]))
      const nowMs = clock()
      for (const [key, { burst, everySeconds }] of (known.get(home) ?? 0) > nowMs ? all.slice(0, 2) : all) {
        const waitSeconds = ((known.get(key) ?? 0) - nowMs) / 1000 - (burst - 1) * everySeconds
        if (waitSeconds > 0) throw tooManyRequests('Too many failed attempts to authenticate. Try again later.', { headers: { 'retry-after': String(Math.ceil(waitSeconds)) } })
      }
      return known.has(all[0]![0]) || (known.get(home) ?? 0) < nowMs + rememberedMs / 2
    },
    async failed(user, address) {
      const nowMs = clock(), sweeps = sweep()
      await store.tx(async (tx) => {
        for (const [key, { burst, everySeconds }] of bucketsOf(user, address)) await buckets.pour(tx, key, nowMs, { burst, everyMs: everySeconds * 1000 })
        if (sweeps) await buckets.forgetEmpty(tx, nowMs)
      })
    },
    async succeeded(user, address) {
      const nowMs = clock(), sweeps = sweep()
      await store.tx(async (tx) => {
        await buckets.forget(tx, pairOf(user, address))
        await buckets.keep(tx, homeOf(user, address), nowMs + rememberedMs)
        if (sweeps) await buckets.forgetEmpty(tx, nowMs)
      })
    },
    judged: (user, address, attempt) => turns.run(pairOf(user, address), async () => {
      const telling = await limiter.check(user, address)
      const found = await attempt()
      if (found === undefined) await limiter.failed(user, address)
      else if (telling) await limiter.succeeded(user, address)
      return found
    }),
  }
  return limiter
}

// Failed log-ins are counted by user and source, by source, and by user; past a limit the answer is 429 before anything is hashed.
// Why so: docs/decisions/0005-login-failures.md
import { isIPv6 } from 'node:net'
import { tooManyRequests } from '#base/errors.ts'

/** So many failures at once, and one more after each pause. */
export interface Allowance { burst: number, everySeconds: number }
export interface LimiterSetup { pair?: Allowance, source?: Allowance, user?: Allowance, clock?: () => number, maxKeys?: number }

export interface FailureLimiter {
  /** Throws 429 when this user, source or both have failed too often of late. */
  check(user: string, address: string): void
  failed(user: string, address: string): void
  succeeded(user: string, address: string): void
}

/** An IPv6 customer has at least a /64: his addresses count as one. */
const sourceOf = (address: string): string => {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '')
  return address.split(':').slice(0, 4).join(':')
}

export function createLimiter(setup: LimiterSetup = {}): FailureLimiter {
  const allowances = { pair: setup.pair ?? { burst: 10, everySeconds: 6 }, source: setup.source ?? { burst: 100, everySeconds: 1 }, user: setup.user ?? { burst: 200, everySeconds: 3 } }
  const clock = setup.clock ?? Date.now, maxKeys = setup.maxKeys ?? 20_000
  /** Failures that still count, leaking away; the oldest touched first. */
  const buckets = new Map<string, { level: number, at: number }>()

  const level = (key: string, { everySeconds }: Allowance): number => {
    const bucket = buckets.get(key)
    return bucket ? Math.max(0, bucket.level - (clock() - bucket.at) / 1000 / everySeconds) : 0
  }
  const keysOf = (user: string, address: string): [string, Allowance][] => {
    const source = sourceOf(address)
    return [[`p ${source} ${user}`, allowances.pair], [`s ${source}`, allowances.source], [`u ${user}`, allowances.user]]
  }
  return {
    check(user, address) {
      for (const [key, allowance] of keysOf(user, address)) {
        const over = level(key, allowance) + 1 - allowance.burst
        if (over > 0) {
          const seconds = Math.max(1, Math.ceil(over * allowance.everySeconds))
          throw tooManyRequests('Too many failed attempts to authenticate. Try again later.', { headers: { 'retry-after': String(seconds) } })
        }
      }
    },
    failed(user, address) {
      for (const [key, allowance] of keysOf(user, address)) {
        const next = Math.min(level(key, allowance) + 1, allowance.burst)
        buckets.delete(key)
        buckets.set(key, { level: next, at: clock() })
      }
      while (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value!)
    },
    succeeded(user, address) { buckets.delete(`p ${sourceOf(address)} ${user}`) },
  }
}

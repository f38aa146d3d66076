// Password hashing: argon2id behind a queue of its own. It takes a core for 20 ms; without a bound, a burst of log-ins would take
// the machine and libuv's four threads, which files need too.
import { hash, verify, type Options } from '@node-rs/argon2'
import { createHash, timingSafeEqual } from 'node:crypto'
import { unavailable } from '#base/errors.ts'

export interface PasswordCost { memoryKib: number, passes: number }
const full: PasswordCost = { memoryKib: 19 * 1024, passes: 2 }
/** For tests only. */
export const cheap: PasswordCost = { memoryKib: 8, passes: 1 }

/** Longer ones are no passwords. */
export const maxPasswordLength = 4096

/** Hashes and compares, a few at a time. */
export interface Passwords {
  hash(password: string): Promise<string>
  /** Without a hash (no such user, no password) it costs the same and fails. `go` is asked when it had to wait and its turn has come. */
  verify(stored: string | null | undefined, password: string, go?: () => Promise<void>): Promise<boolean>
}

/** `running` at once and `waiting` behind them; past that 503. */
export function createPasswords(cost: PasswordCost = full, queue = { running: 2, waiting: 64 }): Passwords {
  const options: Options = { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: 1, algorithm: 2 as Options['algorithm'] }
  const waiting: (() => void)[] = []
  let running = 0, decoy: string | undefined

  async function turn<T>(work: (waited: boolean) => Promise<T>): Promise<T> {
    const waits = running >= queue.running
    if (!waits) running++
    else {
      if (waiting.length >= queue.waiting) throw unavailable('The identity service is busy checking passwords. Try again shortly.', { headers: { 'retry-after': '1' } })
      // Whoever ends hands over the place: `running` stays.
      await new Promise<void>((go) => { waiting.push(go) })
    }
    try { return await work(waits) } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  return {
    hash: (password) => turn(() => hash(password, options)),
    verify: (stored, password, go) => turn(async (waited) => {
      if (waited) await go?.()
      const against = stored ?? (decoy ??= await hash('nobody has this password', options))
      const fits = await verify(against, password.slice(0, maxPasswordLength + 1)).catch(() => false)
      return fits && stored !== null && stored !== undefined && password.length <= maxPasswordLength
    }),
  }
}

// Secrets that we made ourselves are too random to be guessed: a plain digest is enough, and costs nothing.
const digestPrefix = 'sha256:'
/** What is kept of a secret of ours. */
export const digestSecret = (secret: string): string => digestPrefix + createHash('sha256').update(secret).digest('base64url')
/** Whether it is kept so: others are passwords' hashes. */
export const isDigest = (stored: string): boolean => stored.startsWith(digestPrefix)
/** Compares in a time that tells nothing. */
export const fitsDigest = (stored: string, secret: string): boolean => {
  const a = Buffer.from(stored), b = Buffer.from(digestSecret(secret))
  return a.length === b.length && timingSafeEqual(a, b)
}

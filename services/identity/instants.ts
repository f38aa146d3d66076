// Instants as keystone's bodies hold them.
import { badRequest } from '#base/errors.ts'
import { clientInError, couldNotComply } from './faults.ts'

/**
 * When something shall end, as it was asked for: with and without fractions and zone. Answers ISO with microseconds and Z, which keystone gives back as they were given.
 * Throws the 400 for what is no instant (`notOne` says how) or has passed.
 */
export function futureInstant(
  text: string, clock: () => number,
  notOne = `Timestamp not in expected format. ${couldNotComply} ${clientInError}`,
): string {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.test(text)) throw badRequest(notOne)
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(at)) throw badRequest(notOne)
  if (at <= clock()) throw badRequest(`The 'expires_at' must not be before now. ${couldNotComply} ${clientInError}`)
  return `${new Date(at).toISOString().slice(0, 19)}.${(/\.(\d+)/.exec(text)?.[1] ?? '').slice(0, 6).padEnd(6, '0')}Z`
}

// What identity throws, in keystone's words.
import { conflict, forbidden, notFound, unauthorized, type Fault } from '#base/errors.ts'

/** One answer for every reason not to let somebody in: nothing is to be learnt from it. */
export const authenticationRequired = (root: string, cause?: string): Fault =>
  unauthorized('The request you have made requires authentication.', { headers: { 'www-authenticate': `Keystone uri="${root}"` }, ...(cause && { cause }) })

export const missing = (what: string, id: string): Fault => notFound(`Could not find ${what}: ${id}.`)

export const taken = (what: string, name: string, domainId?: string): Fault =>
  conflict(`Conflict occurred attempting to store ${what} - Duplicate entry found with name ${name}${domainId ? ` at domain ID ${domainId}` : ''}.`)

export const immutable = (verb: 'update' | 'delete', what: string, id: string): Fault =>
  forbidden(`Cannot ${verb} immutable ${what} ${id}. Unset the immutable option first.`)

/** Those who make many at once may pass a bound by so many. */
export const tooMany = (what: string, limit: number): Fault => forbidden(`Unable to create additional ${what}, maximum of ${limit} already exceeded for user.`)

export const refused = (operation: string): Fault => forbidden(`You are not authorized to perform the requested action: ${operation}.`)

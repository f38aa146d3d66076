// What identity throws, in keystone's words.
import { badRequest, conflict, forbidden, notFound, unauthorized, type Fault } from '#base/errors.ts'

/** One answer for every reason not to let somebody in: nothing is to be learnt from it. */
export const authenticationRequired = (root: string, cause?: string): Fault =>
  unauthorized('The request you have made requires authentication.', { headers: { 'www-authenticate': `Keystone uri="${root}"` }, ...(cause && { cause }) })

/** What keystone adds to its complaint about a request's form, in most places with the sentence after it. */
export const couldNotComply = 'The server could not comply with the request since it is either malformed or otherwise incorrect.'
export const clientInError = 'The client is assumed to be in error.'
/** The 400 for what a body lacks. */
export const expecting = (attribute: string, target: string): Fault => badRequest(`Expecting to find ${attribute} in ${target}. ${couldNotComply} ${clientInError}`)

/** The 404. */
export const missing = (what: string, id: string): Fault => notFound(`Could not find ${what}: ${id}.`)

/** The 409 for a name that another one has, in the domain if one is said. */
export const taken = (what: string, name: string, domainId?: string): Fault =>
  conflict(`Conflict occurred attempting to store ${what} - Duplicate entry found with name ${name}${domainId ? ` at domain ID ${domainId}` : ''}.`)

/** The 403 for what has the option `immutable`. */
export const immutable = (verb: 'update' | 'delete', what: string, id: string): Fault =>
  forbidden(`Cannot ${verb} immutable ${what} ${id}. Unset the immutable option first.`)

/** Those who make many at once may pass a bound by so many. */
export const tooMany = (what: string, limit: number): Fault => forbidden(`Unable to create additional ${what}, maximum of ${limit} already exceeded for user.`)

/** The 403 of a policy; `operation` by its name. */
export const refused = (operation: string): Fault => forbidden(`You are not authorized to perform the requested action: ${operation}.`)

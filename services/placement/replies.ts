// What placement's replies and refusals have in common: cache headers from 1.15 on, error codes from 1.23 on, and strictness about media types.
import { badRequest, Fault, notAcceptable, unsupportedMediaType } from '#base/errors.ts'
import { htmlPage } from '#kit/http/faults.ts'
import { Reply, type Operation, type Version } from '#kit/http/operation.ts'
import type { FaultView } from '#kit/http/service.ts'
import type { Problem } from '#kit/http/schema.ts'
import { statusText } from '#kit/http/status.ts'
import { uuidPattern } from './fields.ts'

/** What clients from 1.23 on are told beside a fault's words, so that they can tell faults apart. https://docs.openstack.org/api-ref/placement/#errors */
export const codes = {
  concurrent: 'placement.concurrent_update', duplicateName: 'placement.duplicate_name',
  inventoryInUse: 'placement.inventory.inuse', providerInUse: 'placement.resource_provider.inuse',
  isParent: 'placement.resource_provider.cannot_delete_parent', providerNotFound: 'placement.resource_provider.not_found',
  duplicateKey: 'placement.query.duplicate_key', badValue: 'placement.query.bad_value', missingValue: 'placement.query.missing_value',
}
/** The versions of the API, as `dated` and the negotiation know them. */
export const minVersion = '1.0', maxVersion = '1.39'
/** Refuses who saw an older generation of a provider whose traits or aggregates he replaces. */
export const generationChanged = 'Resource provider\'s generation already changed. Please update the generation and try again.'

const cacheHeaders = (version: Version, modifiedAt: string | undefined): Record<string, string> =>
  version.since('1.15') ? { 'last-modified': (modifiedAt === undefined ? new Date() : new Date(modifiedAt)).toUTCString(), 'cache-control': 'no-cache' } : {}

/** A reply that says how old what it shows is: the instant, or now where no row knows. */
export const dated = (version: Version, body: unknown, modifiedAt?: string, more: { status?: number, headers?: Record<string, string> } = {}): Reply =>
  new Reply({ ...more, body, headers: { ...cacheHeaders(version, modifiedAt), ...more.headers } })

/** The newest of some instants. */
export const newest = (instants: string[]): string | undefined => instants.reduce<string | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined)

/** What is wrong with a request's form, as placement's clients know it: which part, why, and the rule's name. */
function wordsOf({ part, reason, keyword, path }: Problem): string {
  if (part === 'json') return `Malformed JSON: ${reason}`
  const noUuid = reason.endsWith(`does not match '${uuidPattern}'`)
  const why = noUuid ? reason.replace(/ does not match .*$/s, ' is not a \'uuid\'') : reason
  const rule = noUuid ? 'format' : keyword
  return `${part === 'query' ? 'Invalid query string parameters' : 'JSON does not validate'}: ${why}${rule === undefined ? '' : failed(rule, path)}`
}

/** What jsonschema adds to its complaint: which rule was broken, and where. */
export const failed = (rule: string, path: string[] = []): string =>
  `\n\nFailed validating '${rule}' in schema${path.map((key) => `['properties']['${key.slice(0, 80)}']`).join('')}`

/** Placement answers a list of errors, each with the request's id, and from 1.23 on with a code. */
export const envelope = (fault: FaultView, version?: Version): object => ({
  errors: [{
    status: fault.status, title: statusText(fault.status), detail: fault.problem ? wordsOf(fault.problem) : fault.message, request_id: fault.requestId,
    ...(version?.since('1.23') && { code: fault.type ?? 'placement.undefined_code' }),
    // Clients that ask for more than there is learn here what there is.
    ...(fault.status === 406 && version === undefined && { max_version: maxVersion, min_version: minVersion }),
  }],
})

const acceptsJson = (accept: string): boolean => accept.split(',').some((part) => {
  const [type, ...parameters] = part.split(';').map((p) => p.trim().toLowerCase())
  return ['*/*', 'application/*', 'application/json', ''].includes(type!) && !parameters.some((p) => /^q=0(\.0*)?$/.test(p))
})

/** For who takes HTML and no JSON. */
export const faultPage = (fault: FaultView, accept: string | undefined): string | undefined => (accept === undefined || acceptsJson(accept) ? undefined : htmlPage(fault))

/** Bodies must say that they are JSON; who reads must take it. */
export function inspectHeaders(operation: Operation, headers: Record<string, string | string[] | undefined>): void {
  const type = headers['content-type']
  if (type === undefined && Number(headers['content-length'] ?? 0) > 0) throw badRequest('content-type header required when content-length > 0')
  if (operation.bodySchema && String(type ?? '').split(';')[0]!.trim().toLowerCase() !== 'application/json') {
    throw unsupportedMediaType(`The media type ${String(type ?? 'None').slice(0, 60)} is not supported, use application/json`)
  }
  if (operation.method === 'GET' && typeof headers.accept === 'string' && !operation.atRoot && !acceptsJson(headers.accept)) {
    throw notAcceptable('Only application/json is provided')
  }
}

/** A 405 for DELETE in versions that do not have it; `allow`: the methods that are. */
export const notAllowed = (allow: string): Error => new Fault('methodNotAllowed', 'The method DELETE is not allowed for this resource.', { headers: { allow } })

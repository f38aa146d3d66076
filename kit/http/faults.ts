// Fault kinds to HTTP statuses: the one place that knows.
import { explain, Fault, type FaultKind } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { anyone } from '#kit/policy/rules.ts'
import type { Operation } from './operation.ts'
import { Invalid } from './schema.ts'
import type { FaultView, ServiceHttp } from './service.ts'
import { statusText } from './status.ts'

const statuses: Record<FaultKind, number> = {
  badRequest: 400, unauthorized: 401, forbidden: 403, notFound: 404, methodNotAllowed: 405, notAcceptable: 406, conflict: 409, gone: 410,
  preconditionFailed: 412, tooLarge: 413, unsupportedMediaType: 415, rangeNotSatisfiable: 416, unprocessable: 422, overQuota: 403, tooManyRequests: 429, notImplemented: 501, unavailable: 503,
}

/** The HTTP status a service answers with for a kind of fault. */
export const statusOf = (service: Pick<ServiceHttp, 'statuses'> | undefined, kind: FaultKind): number => service?.statuses?.[kind] ?? statuses[kind]

/**
 * The kinds of faults an operation may answer with: those that follow from whom it asks for, what it takes and what it acts upon, and those it says itself.
 * `unavailable` is anybody's, when the database is away, and is not among them.
 */
export function faultsOf(op: Operation): FaultKind[] {
  const { querySchema, bodySchema, streams, target, access, faults = [] } = op
  return [...new Set<FaultKind>([
    ...(querySchema || bodySchema || streams ? ['badRequest'] as const : []), ...(access === anyone ? [] : ['unauthorized', 'forbidden'] as const), ...(target ? ['notFound'] as const : []),
    ...(bodySchema ? ['tooLarge', 'unsupportedMediaType'] as const : []), ...faults,
  ])]
}

/** What leaves the house for an error: a fault's own words; for a bug only an id to look it up by. The rest goes to the log. */
export function faultView(
  service: Pick<ServiceHttp, 'statuses'> | undefined, error: unknown, ctx: Pick<Context, 'requestId' | 'log'>,
): FaultView & { headers: Record<string, string> } {
  if (error instanceof Fault) {
    const status = statusOf(service, error.kind)
    if (error.cause !== undefined) ctx.log.warn({ requestId: ctx.requestId, status, cause: explain(error.cause) }, error.message)
    return {
      status, kind: error.kind, message: error.message, type: error.type, requestId: ctx.requestId, headers: error.headers ?? {},
      ...(error instanceof Invalid && { problem: error.problem }),
    }
  }
  ctx.log.error({ requestId: ctx.requestId, error: explain(error), stack: error instanceof Error ? error.stack : undefined }, 'unexpected error')
  return { status: 500, kind: 'internal', message: `Unexpected API Error. The administrator finds it in the log under ${ctx.requestId}.`, requestId: ctx.requestId, headers: {} }
}

/** Whether a client takes HTML no less gladly than JSON. */
export function likesHtml(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  const ranges = accept.split(',').map((part) => {
    const [type, ...parameters] = part.trim().toLowerCase().split(/\s*;\s*/)
    return { type, q: Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1) }
  })
  /** The `q` of the first of these names that the client speaks of. */
  const quality = (...names: string[]): number => ranges.find((range) => range.type === names.find((name) => ranges.some((r) => r.type === name)))?.q ?? 0
  const html = quality('text/html', 'text/*', '*/*')
  return html > 0 && html >= quality('application/json', 'application/*', '*/*')
}

/** The text as it may stand in HTML. */
export const htmlText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
/** A fault as OpenStack's services show it to who wants HTML. */
export function htmlPage({ status, message }: FaultView): string {
  const title = `${status} ${statusText(status)}`
  return `<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n  ${htmlText(message)}<br /><br />\n\n\n\n </body>\n</html>`
}

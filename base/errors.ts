// The faults every layer throws. A fault's message is public; what must stay inside goes into `cause`.
// Only kit/http knows which HTTP status a kind becomes, and how a service dresses it.

export type FaultKind =
  | 'badRequest' | 'unauthorized' | 'forbidden' | 'notFound' | 'methodNotAllowed' | 'notAcceptable' | 'conflict' | 'gone' | 'preconditionFailed'
  | 'tooLarge' | 'unsupportedMediaType' | 'unprocessable' | 'rangeNotSatisfiable' | 'overQuota' | 'tooManyRequests' | 'notImplemented' | 'unavailable'

export interface FaultOptions {
  /** A service's own machine-readable name, such as neutron's `PortNotFound`. */
  type?: string
  /** HTTP headers the reply must carry, such as Retry-After. */
  headers?: Record<string, string>
  /** Shown to administrators only (why a host was refused, which host failed). */
  adminDetail?: string
  cause?: unknown
}

/** An error whose message the caller may read. Anything else that is thrown is a bug and shows as a bare 500. */
export class Fault extends Error {
  readonly kind: FaultKind
  readonly type: string | undefined
  readonly headers: Record<string, string> | undefined
  readonly adminDetail: string | undefined

  constructor(kind: FaultKind, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Fault'
    this.kind = kind
    this.type = options.type
    this.headers = options.headers
    this.adminDetail = options.adminDetail
  }

  /** The fault as plain JSON, for the bus and the saga journal. */
  toJSON(): FaultRecord {
    return { kind: this.kind, message: this.message, ...(this.type && { type: this.type }), ...(this.adminDetail && { adminDetail: this.adminDetail }) }
  }
}

export interface FaultRecord { kind: FaultKind, message: string, type?: string, adminDetail?: string }

/** Rebuilds a fault from its JSON (bus replies, journal entries). */
export const faultFrom = (record: FaultRecord): Fault =>
  new Fault(record.kind, record.message, { type: record.type, adminDetail: record.adminDetail })

const of = (kind: FaultKind) => (message: string, options?: FaultOptions): Fault => new Fault(kind, message, options)

export const badRequest = of('badRequest')
export const unauthorized = of('unauthorized')
export const forbidden = of('forbidden')
export const notFound = of('notFound')
export const conflict = of('conflict')
export const preconditionFailed = of('preconditionFailed')
export const tooLarge = of('tooLarge')
export const unsupportedMediaType = of('unsupportedMediaType')
export const notAcceptable = of('notAcceptable')
export const overQuota = of('overQuota')
export const tooManyRequests = of('tooManyRequests')
export const notImplemented = of('notImplemented')
export const unavailable = of('unavailable')

export const isFault = (error: unknown, kind?: FaultKind): error is Fault =>
  error instanceof Fault && (kind === undefined || error.kind === kind)

/** What may be told of any error: a fault's own words, or that something unexpected happened. */
export const publicMessage = (error: unknown): string => error instanceof Fault ? error.message : 'Unexpected error'

/** The whole story for logs: an error with its causes, one line. */
export const explain = (error: unknown): string => {
  const parts: string[] = []
  for (let e: unknown = error; e !== undefined && parts.length < 8; e = e instanceof Error ? e.cause : undefined) {
    parts.push(e instanceof Error ? e.message || e.name : String(e))
  }
  return parts.join(': ')
}

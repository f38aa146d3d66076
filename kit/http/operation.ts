// An operation is a value: method, path, access rule, request schemas and handler side by side. Routes, OpenAPI, the policy
// reference, the access tests and metrics are all derived from lists of these.
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import type { FaultKind } from '#base/errors.ts'
import type { Rule, Target } from '#kit/policy/rules.ts'
import { VersionedSchema, versionNumber, type Static, type TSchema } from './schema.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'

/** The version a request asks for; services without microversions see 0 and never ask. */
export interface Version {
  readonly number: number
  readonly text: string
  /** `version.since('2.19')`: is the asked version this one or newer? */
  since(version: string): boolean
}
/** `2.19` as a version that can be compared. */
export const versionOf = (text: string): Version => {
  const number = versionNumber(text)
  return { number, text, since: (v) => number >= versionNumber(v) }
}
/** Of services without microversions: older than every version that anything asks for. */
export const noVersion: Version = { number: 0, text: '', since: () => false }

/** Absolute URLs for links, built on the public URL and never on a Host header. */
export interface Urls {
  /** The service's root, e.g. https://cloud:5000/compute */
  root: string
  /** Root and API prefix, e.g. https://cloud:5000/compute/v2.1 */
  api: string
  /** This request's path and query below `root`. */
  path: string
  search: URLSearchParams
}

/** What a handler is handed of a request, checked. */
export interface Input<Q, B, T> {
  params: Record<string, string>
  query: Q
  body: B
  /** The request's bytes, for operations with `body: 'stream'`. */
  stream: Readable
  headers: Record<string, string | string[] | undefined>
  /** The caller's address as the socket tells it; empty inside the process. */
  remoteAddress: string
  target: T
  version: Version
  urls: Urls
}

/** What a handler answers when a bare body is not enough. */
export class Reply {
  readonly status: number | undefined
  readonly headers: Record<string, string | string[]>
  readonly body: unknown
  constructor(parts: { status?: number, headers?: Record<string, string | string[]>, body?: unknown }) {
    this.status = parts.status
    this.headers = parts.headers ?? {}
    this.body = parts.body
  }
}

/** How the thing an operation acts upon is found, and who may know that it exists. */
export interface TargetSpec<D, T> {
  /** Answers undefined when there is none. The validated input is there for targets that the body or a header names. */
  load(ctx: Context, params: Record<string, string>, deps: D, input: Input<any, any, unknown>): Promise<T | undefined>
  /** A caller whom this rule refuses gets the 404, as if there were none. */
  sees: Rule
  /** What of it the rules look at; by default its projectId, domainId and userId. */
  owner?(target: T): Target
  /** Whether the 404 comes before what is wrong with the body. */
  beforeBody?: boolean
  /** The 404. */
  missing(params: Record<string, string>): Error
}

/** An operation as it is written down: `operation({…})` in an api.ts. */
export interface OperationSpec<D, Q extends TSchema, B extends TSchema, T> {
  /** Unique in its service; also the name clients and metrics use: `createServer`. */
  name: string
  method: Method
  /** Below the service's API prefix, OpenStack's notation: `/servers/{server_id}`. */
  path: string
  /** `POST …/action` with this as the body's only key; `body` is then what stands behind the key. */
  action?: string
  /** Sits at the service's root instead of below its API prefix: version documents. */
  atRoot?: boolean
  /** One sentence for the reference. */
  summary: string
  access: Rule
  target?: TargetSpec<D, T>
  query?: Q
  /** A schema for JSON; 'stream' for bytes. */
  body?: B | 'stream'
  /** The body may be left out (nova's `{"reboot": …}` never; keystone's PUT of assignments always). */
  bodyOptional?: boolean
  /** Media types other than application/json that carry JSON here. */
  consumes?: string[]
  /** Largest JSON body in bytes; 1 MiB if not said, and for what everybody may use 112 KiB. */
  maxBodyBytes?: number
  /** The status of success; 200, or 204 when the handler answers nothing. */
  status?: number
  /** What it refuses beyond what follows from `access`, the schemas and `target` (faults.ts, `faultsOf`): a conflict, something else it names that is not there. Tests fail of a kind that is not said. */
  faults?: FaultKind[]
  /** Exists from this microversion on, or up to one. Outside: 404, as nova answers. */
  since?: string
  until?: string
  /** For Pileus's own services only: not in OpenAPI, refused to users whatever their roles. */
  internal?: boolean
  handle(ctx: Context, input: Input<Static<Q>, Static<B>, T>, deps: D): Promise<unknown>
}

/** An operation as the kit works with it, its schemas compiled and its versions as numbers. */
export interface Operation<D = any> extends Omit<OperationSpec<D, TSchema, TSchema, any>, 'query' | 'body'> {
  querySchema?: VersionedSchema
  bodySchema?: VersionedSchema
  streams: boolean
  sinceNumber: number
  untilNumber: number
}

/** `const operation = operationsOf<Deps>()` once a service, in its deps.ts; then `operation({…})` in every api.ts. */
export const operationsOf = <D>() => <Q extends TSchema = TSchema, B extends TSchema = TSchema, T = undefined>(spec: OperationSpec<D, Q, B, T>): Operation<D> => {
  const { query, body, ...rest } = spec
  return {
    ...(rest as unknown as Operation<D>),
    ...(query && { querySchema: new VersionedSchema(query) }),
    ...(body && body !== 'stream' && { bodySchema: new VersionedSchema(body) }),
    streams: body === 'stream',
    sinceNumber: spec.since ? versionNumber(spec.since) : 0,
    untilNumber: spec.until ? versionNumber(spec.until) : Infinity,
  }
}

// Calling a service from inside the same process: the same access rule, validation and JSON round trip as over HTTP.
import { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import { notFound } from '#base/errors.ts'
import { noVersion, versionOf, type Input } from './operation.ts'
import { admit, perform } from './pipeline.ts'
import type { Mounted } from './server.ts'

/** What an operation is called with; the body of a JSON operation, or the stream of one that takes bytes. */
export interface Call {
  params?: Record<string, string>
  query?: Record<string, unknown>
  body?: unknown
  stream?: Readable
  headers?: Record<string, string>
  /** The microversion; the service's newest when not said. */
  version?: string
}
/** What it answered. Faults are thrown, not answered. */
export interface Answer<T = any> { status: number, headers: Record<string, string | string[]>, body: T }

/** Speaks to one service by its operations' names. */
export interface ServiceClient {
  call<T = any>(ctx: Context, operation: string, call?: Call): Promise<Answer<T>>
}

/** The query as it would stand in an URL; handlers with keys of their own making read it there. */
const searchOf = (query: Record<string, unknown> = {}): URLSearchParams =>
  new URLSearchParams(Object.entries(query).flatMap(([key, value]) => [value].flat().map((v): [string, string] => [key, String(v)])))
const roundTrip = (value: unknown): unknown => (value === undefined || value instanceof Readable || Buffer.isBuffer(value) ? value : JSON.parse(JSON.stringify(value)))

/** A client of a service in this process. `mounted` is asked for late, so that services can know each other in a circle. */
export function localClient(mounted: () => Mounted, publicUrl: string): ServiceClient {
  let byName: Map<string, Mounted['service']['operations'][number]> | undefined
  return {
    async call<T>(ctx: Context, operation: string, call: Call = {}): Promise<Answer<T>> {
      const { service, deps } = mounted()
      byName ??= new Map(service.operations.map((op) => [op.name, op]))
      const op = byName.get(operation)
      if (!op) throw notFound(`${service.name} has no operation ${operation}`)
      await ctx.span(`${service.name}.check-caller`, async () => admit(service, op, ctx))
      const root = publicUrl + service.mount
      const newest = service.microversions ? versionOf(service.microversions.max) : noVersion
      const input: Input<unknown, unknown, unknown> = {
        params: call.params ?? {}, query: call.query ?? {}, body: roundTrip(call.body), stream: call.stream ?? Readable.from([]), headers: call.headers ?? {}, remoteAddress: '',
        target: undefined, version: call.version ? versionOf(call.version) : newest,
        urls: { root, api: root + (service.prefixes[0] ?? ''), path: '/', search: searchOf(call.query) },
      }
      const reply = await perform(op, ctx, input, deps)
      return { status: reply.status!, headers: reply.headers, body: roundTrip(reply.body) as T }
    },
  }
}

// Traces: named, timed parts of the work that a request set off, kept by the resource they belong to.
import { randomBytes } from 'node:crypto'
import type { Actor, Context, Log, SpanOptions } from '#base/context.ts'

export interface SpanRecord {
  traceId: string
  resourceId?: string
  name: string
  startedAt: number
  /** Milliseconds, fractions kept. */
  tookMs: number
  failed?: string
  tenant?: object
  admin?: object
}

/** A request under way. `ctx` may be replaced (once the actor is known); spans of all its versions are kept together. */
export interface RequestScope {
  ctx: Context
  finish(): void
}

export interface Tracer {
  request(requestId: string): RequestScope
  /** A context for work outside a request (a saga step, a bus message), its spans kept at once. */
  context(parts: { requestId: string, traceId: string, resourceId?: string, actor: Actor, deadlineAt?: number }): Context
  /** Spans of a request are kept only once it is known whose trace they are. */
  bind(ctx: Context, resourceId: string): void
  /** Waits until what was recorded is written. */
  flush(): Promise<void>
}

const nobody: Actor = { userId: '', roles: [] }

/** `keep` is handed finished spans that belong to a resource, in order. */
export function createTracer(log: Log, keep: (spans: SpanRecord[]) => Promise<void> | void): Tracer {
  const requests = new Map<string, { spans: SpanRecord[], resourceIds: Set<string> }>()
  let pending: SpanRecord[] = []
  let writing: Promise<void> = Promise.resolve(), timer: NodeJS.Timeout | undefined

  const flush = (): Promise<void> => {
    clearTimeout(timer); timer = undefined
    if (pending.length > 0) {
      const batch = pending
      pending = []
      writing = writing.then(() => keep(batch)).catch((error: unknown) => log.warn({ error: String(error) }, 'trace spans were lost'))
    }
    return writing
  }
  // Many spans, one write: a trace may appear up to this much later than its work.
  const queue = (spans: SpanRecord[]): void => { pending.push(...spans); timer ??= setTimeout(flush, 200).unref() }

  const spanMaker = (base: () => { traceId: string, resourceId?: string }, record: (span: SpanRecord) => void) =>
    async <T>(name: string, work: () => Promise<T>, options: SpanOptions = {}): Promise<T> => {
      const startedAt = Date.now(), t0 = performance.now()
      let failed: string | undefined
      try {
        return await work()
      } catch (error) {
        failed = error instanceof Error ? error.name : 'error'
        throw error
      } finally {
        record({ ...base(), name, startedAt, tookMs: performance.now() - t0, ...(failed && { failed }), ...(options.tenant && { tenant: options.tenant }), ...(options.admin && { admin: options.admin }) })
      }
    }

  return {
    request(requestId) {
      const traceId = randomBytes(16).toString('hex')
      const kept = { spans: [] as SpanRecord[], resourceIds: new Set<string>() }
      let finished = false
      requests.set(requestId, kept)
      const record = (span: SpanRecord): void => { if (finished) flushOne(kept, [span]); else kept.spans.push(span) }
      const flushOne = (to: typeof kept, spans: SpanRecord[]): void => { for (const resourceId of to.resourceIds) queue(spans.map((s) => ({ ...s, resourceId }))) }
      return {
        ctx: { actor: nobody, requestId, traceId, log, span: spanMaker(() => ({ traceId }), record) },
        finish() {
          finished = true
          requests.delete(requestId)
          if (kept.resourceIds.size > 0 && kept.spans.length > 0) flushOne(kept, kept.spans)
        },
      }
    },
    context: ({ requestId, traceId, resourceId, actor, deadlineAt }) => ({
      actor, requestId, traceId, log, ...(resourceId && { resourceId }), ...(deadlineAt && { deadlineAt }),
      span: spanMaker(() => ({ traceId, resourceId }), (span) => { if (resourceId) queue([span]) }),
    }),
    bind(ctx, resourceId) { requests.get(ctx.requestId)?.resourceIds.add(resourceId) },
    flush,
  }
}

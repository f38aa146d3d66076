// The serving side, the same under every transport: find the handler, make its context, judge what came of it.
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { explain, isFault, notImplemented } from '#base/errors.ts'
import { pauseMs } from '#base/retry.ts'
import type { Context } from '#base/context.ts'
import { isDatabaseAway } from '#kit/store/store.ts'
import type { Contract, Delivery } from './contract.ts'
import { type Answer, type Envelope, defaultContextFor, isPassing, noAnswer, overTheWire } from './envelope.ts'
import { type Lanes, lanes } from './lanes.ts'
import { type ServeOptions, type Settings, defaultConcurrency } from './bus.ts'

type Handler = (ctx: Context, body: unknown, delivery: Delivery) => Promise<unknown>

export interface Server {
  readonly concurrency: number
  answer(envelope: Envelope): Promise<Answer>
  /**
   * Handles a cast to its end, with its retries, in its lane. `past.failures`: how often it has thrown before; `past.deliveries`: how often a process
   * had it and did not finish. `failed` is told before each pause how often it has thrown, for transports that remember. `kept`: the server is
   * stopping, the message must come again.
   */
  handle(envelope: Envelope, past: { failures: number, deliveries: number }, failed?: (failures: number) => Promise<unknown>): Promise<'done' | 'kept' | { dead: string, attempts: number }>
  /** Takes nothing new, wakes what waits for a retry, and waits for what runs. */
  stop(): Promise<void>
}

export function serverOf(settings: Settings, contract: Contract, handlers: Record<string, unknown>, options: ServeOptions): Server {
  const { log, retry } = settings
  const contextFor = settings.contextFor ?? defaultContextFor(log)
  const concurrency = options.concurrency ?? defaultConcurrency
  const calls: Lanes = lanes(concurrency), casts: Lanes = lanes(concurrency)
  const running = new Set<Promise<unknown>>()
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)

  // The word that a cast is done can be lost on its way: then it comes again, and is only acknowledged.
  const done = new Set<string>()
  const remember = (id: string): 'done' => {
    done.add(id)
    if (done.size > 1_000) done.delete(done.values().next().value!)
    return 'done'
  }

  const run = async (e: Envelope, attempt: number): Promise<unknown> => {
    const wanted = Object.hasOwn(contract.members, e.name) && contract.members[e.name]?.kind === e.kind ? handlers[e.name] as Handler : undefined
    // A caller of another release may know members that this one does not.
    if (!wanted) throw e.kind === 'call' ? notImplemented(`${e.topic} does not know ${e.name}`) : new Error(`${e.topic} does not know the cast ${e.name}`)
    const work = (async () => wanted(contextFor(e), e.body, { id: e.id, attempt }))()
    running.add(work)
    try { return await work } finally { running.delete(work) }
  }
  const fields = (e: Envelope, error: unknown): object => ({ topic: e.topic, target: e.target, name: e.name, requestId: e.requestId, resourceId: e.resourceId, error: explain(error) })

  return {
    concurrency,
    answer: (e) => calls.slot(async (): Promise<Answer> => {
      if (stopping.signal.aborted) return { fault: noAnswer(e, 'the server stopped').toJSON() }
      // Nobody waits any more: work done now could only surprise.
      if (e.deadlineAt !== undefined && Date.now() >= e.deadlineAt) return { bug: true }
      try {
        return { reply: overTheWire(await run(e, 1)) }
      } catch (error) {
        if (isFault(error)) return { fault: error.toJSON() }
        log.error(fields(e, error), 'a call failed unexpectedly')
        return { bug: true }
      }
    }),
    handle: (e, past, failed) => casts.inOrder(e.lane ?? '', async () => {
      if (done.has(e.id)) return 'done'
      for (let attempt = past.failures + 1, absences = 0; ; attempt++) {
        if (stopping.signal.aborted) return 'kept'
        const error = await casts.slot(async () => stopping.signal.aborted ? 'kept' as const : run(e, attempt + past.deliveries).then(() => undefined, (thrown: unknown) => ({ thrown })))
        if (error === 'kept') return 'kept'
        if (error === undefined) return remember(e.id)
        if (isFault(error.thrown) && !isPassing(error.thrown)) {
          log.warn(fields(e, error.thrown), 'a cast was refused')
          return remember(e.id)
        }
        log.warn({ ...fields(e, error.thrown), attempt }, 'a cast failed')
        if (isDatabaseAway(error.thrown)) {
          // However long that lasts, it is not the message that is wrong.
          await delay(pauseMs(Math.min(++absences, 30), { ...retry, maxMs: Math.min(retry.maxMs, 5_000) }), undefined, { signal: stopping.signal }).catch(() => {})
          attempt--
          continue
        }
        if (attempt >= retry.attempts) return { dead: explain(error.thrown).slice(0, 2_000), attempts: attempt }
        await failed?.(attempt)
        await delay(pauseMs(attempt, retry), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }),
    async stop() {
      stopping.abort()
      await Promise.allSettled(running)
    },
  }
}

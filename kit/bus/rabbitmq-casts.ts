// Reading casts from the broker. Not by the client's own consumer: that cancels before it gives messages back, upon which the broker already serves the
// next reader, and the order is lost. Here what is not done stays unacknowledged until the channel closes, and returns in one piece.
import { setTimeout as delay } from 'node:timers/promises'
import type { AsyncMessage, Channel, Connection } from 'rabbitmq-client'
import type { Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import { pauseMs } from '#base/retry.ts'
import type { Stop } from './bus.ts'
import { isEnvelope } from './envelope.ts'
import { type Queue, type Sender, deadQueue } from './rabbitmq-channels.ts'
import type { Server } from './serving.ts'
import type { DeadLetter } from './store.ts'

export interface CastReading { connection: Connection, queue: Queue, address: string, server: Server, out: Sender, log: Log, connectTimeoutMs: number }

/** Resolves when the broker delivers; comes back by itself after that. The returned function waits for handlers that have begun. */
export async function readCasts({ connection, queue, address, server, out, log, connectTimeoutMs }: CastReading): Promise<Stop> {
  const working = new Set<Promise<void>>()
  const stopping = new AbortController()
  let channel: Channel | undefined

  async function take(ch: Channel, message: AsyncMessage): Promise<void> {
    const { deliveryTag } = message, e: unknown = message.body
    // Not ours: the broker moves it to the dead queue.
    if (!isEnvelope(e)) return ch.basicNack({ deliveryTag, requeue: false })
    const end = await server.handle(e, { failures: 0, deliveries: Number(message.headers?.['x-delivery-count'] ?? 0) })
    if (end === 'kept') return
    if (typeof end === 'object') {
      log.error({ id: e.id, address, error: end.dead }, 'a cast is given up on and kept as a dead letter')
      await out.send(deadQueue, e.id, { address, attempts: end.attempts, error: end.dead, envelope: e } satisfies Omit<DeadLetter, 'id' | 'diedAt'>)
    }
    // On a channel that is gone: it comes again, and the server knows that it is done.
    if (ch.active) ch.basicAck({ deliveryTag })
  }
  const takeSafely = (ch: Channel, message: AsyncMessage): Promise<void> => take(ch, message).catch(async (error: unknown) => {
    log.error({ address, error: explain(error) }, 'a cast is put off')
    await delay(1_000, undefined, { signal: stopping.signal }).catch(() => {})
    if (ch.active) ch.basicNack({ deliveryTag: message.deliveryTag, requeue: true })
  })

  async function subscribe(): Promise<void> {
    const ch = await connection.acquire({ emitErrorsFromChannel: true })
    ch.on('error', (error: unknown) => log.warn({ queue: queue.queue, error: explain(error) }, 'trouble with a queue'))
    // The queue was deleted.
    ch.on('basic.cancel', () => { void ch.close() })
    try {
      await ch.queueDeclare(queue)
      // More than run at once: messages of a busy lane wait here without keeping the others out.
      await ch.basicQos({ prefetchCount: server.concurrency * 2 })
      await ch.basicConsume({ queue: queue.queue }, (message) => {
        const work = takeSafely(ch, message).finally(() => working.delete(work))
        working.add(work)
      })
      ch.once('close', () => { void resubscribe() })
      channel = ch
      if (!ch.active) void resubscribe()
      if (stopping.signal.aborted) await ch.close()
    } catch (error) {
      await ch.close()
      throw error
    }
  }
  async function resubscribe(): Promise<void> {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      try {
        return await subscribe()
      } catch (error) {
        log.warn({ queue: queue.queue, error: explain(error) }, 'a queue cannot be read just now')
        await delay(pauseMs(attempt, { firstMs: 100, maxMs: 3_000 }), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  for (const endAt = Date.now() + connectTimeoutMs; ;) {
    try {
      await subscribe()
      break
    } catch (error) {
      if (Date.now() >= endAt) throw new Error(`RabbitMQ does not deliver from ${queue.queue}`, { cause: error })
      await delay(100)
    }
  }
  return async () => {
    stopping.abort()
    await server.stop()
    await Promise.all(working)
    await channel?.close()
  }
}

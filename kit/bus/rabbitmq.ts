// The bus over RabbitMQ. Casts: outbox → confirmed into a quorum queue → acknowledged once handled. Calls: direct reply-to. Notifications: a direct
// exchange and a queue of its own for each listener.
import { setTimeout as delay } from 'node:timers/promises'
import { type AsyncMessage, type Consumer, type ConsumerHandler, type ConsumerProps, ConsumerStatus } from 'rabbitmq-client'
import { explain, faultFrom } from '#base/errors.ts'
import { type Bus, type Settings, type Stop, defaultTimeoutMs, once } from './bus.ts'
import { addressOf } from './contract.ts'
import { type Envelope, bugOnTheOtherSide, defaultContextFor, envelope, isEnvelope, noAnswer, overTheWire } from './envelope.ts'
import { calls } from './rabbitmq-calls.ts'
import { readCasts } from './rabbitmq-casts.ts'
import { callQueue, castQueue, connect, deadQueue, keptChannel, notifyExchange, sender } from './rabbitmq-channels.ts'
import { type Server, serverOf } from './serving.ts'
import { openOutbox } from './outbox.ts'
import { type DeadLetter, bury, putInOutbox } from './store.ts'

export async function openRabbitmqBus(config: { url: string, connectTimeoutMs?: number }, settings: Settings): Promise<Bus> {
  const { store, log } = settings
  const connectTimeoutMs = config.connectTimeoutMs ?? 15_000
  const contextFor = settings.contextFor ?? defaultContextFor(log)
  const connection = await connect(config.url, connectTimeoutMs, log)
  const out = sender(connection), asking = calls(connection)
  const notifying = keptChannel(connection, (ch) => ch.exchangeDeclare(notifyExchange))
  const consumers = new Set<Consumer>(), stops = new Set<Stop>()
  let closing = false

  /** Resolves when the broker delivers to it; it comes back by itself after that. */
  async function consume(props: ConsumerProps, handler: ConsumerHandler): Promise<Consumer> {
    const consumer = connection.createConsumer(props, handler)
    consumers.add(consumer)
    const ready = Promise.withResolvers<void>()
    let trouble: unknown
    consumer.on('ready', ready.resolve)
    consumer.on('error', (error: unknown) => {
      trouble = error
      log.warn({ queue: props.queue, error: explain(error) }, 'trouble with a queue')
    })
    const timer = setTimeout(() => ready.reject(new Error(`RabbitMQ does not deliver from ${props.queue || 'a queue of our own'}`, { cause: trouble })), connectTimeoutMs)
    try {
      await ready.promise
    } catch (error) {
      await stopConsumer(consumer)
      throw error
    } finally {
      clearTimeout(timer)
    }
    return consumer
  }
  async function stopConsumer(consumer: Consumer): Promise<void> {
    consumers.delete(consumer)
    await Promise.race([consumer.close().catch(() => {}), delay(3_000, undefined, { ref: false })])
  }

  const takeCall = (server: Server): ConsumerHandler => async (message, reply) => {
    const e: unknown = message.body
    if (!isEnvelope(e) || message.replyTo === undefined) return ConsumerStatus.DROP
    // Another process had it and vanished. A call is done at most once; its caller decides.
    await reply(message.redelivered ? { fault: noAnswer(e, 'its server vanished while at it').toJSON() } : await server.answer(e))
    return ConsumerStatus.ACK
  }

  /** Brings dead letters to where operators look. */
  async function takeDead(message: AsyncMessage): Promise<ConsumerStatus> {
    const letter = message.body as Partial<DeadLetter>
    const dead = isEnvelope(letter.envelope) ? letter as DeadLetter
      : isEnvelope(letter) ? { envelope: letter as Envelope, address: addressOf((letter as Envelope).topic, (letter as Envelope).target), attempts: 0, error: 'delivered too often without an end' } : undefined
    if (!dead) {
      log.error({ messageId: message.messageId }, 'a message that is not ours was in the dead queue, and is dropped')
      return ConsumerStatus.ACK
    }
    while (!closing) {
      try {
        await store!.tx((tx) => bury(tx, dead), { durable: true })
        return ConsumerStatus.ACK
      } catch (error) {
        log.error({ error: explain(error) }, 'a dead letter could not be kept')
        await delay(1_000, undefined, { ref: false })
      }
    }
    return ConsumerStatus.REQUEUE
  }

  const outbox = store && await openOutbox(store, settings, {
    wants: () => true,
    carry: (address, rows) => rows.map((row) => out.send(castQueue(address, row.envelope.target !== undefined), row.envelope.id, row.envelope).then(() => 'done' as const, (error: unknown) => {
      log.warn({ id: row.envelope.id, address, error: explain(error) }, 'a cast could not be sent and stays in the outbox')
      return 'kept' as const
    })),
    window: 256,
    counting: false,
  })
  if (store && settings.keepDeadLetters) await consume({ queue: deadQueue.queue, queueOptions: deadQueue, qos: { prefetchCount: 8 }, concurrency: 8 }, takeDead)

  return {
    async serve(contract, handlers, options = {}) {
      const address = addressOf(contract.topic, options.target)
      const server = serverOf(settings, contract, handlers, options)
      const kinds = new Set(Object.values(contract.members).map((m) => m.kind))
      const mine: Consumer[] = []
      let stopCasts: Stop | undefined
      const stop = once(async () => {
        // First no more is taken, then what runs is waited for, then the rest goes back to the broker.
        const ending = mine.map(stopConsumer)
        await Promise.all([server.stop(), stopCasts?.()])
        await Promise.all(ending)
        stops.delete(stop)
      })
      stops.add(stop)
      try {
        const questions = callQueue(address)
        if (kinds.has('call')) mine.push(await consume({ queue: questions.queue, queueOptions: questions, qos: { prefetchCount: server.concurrency }, concurrency: server.concurrency }, takeCall(server)))
        if (kinds.has('cast')) stopCasts = await readCasts({ connection, queue: castQueue(address, options.target !== undefined), address, server, out, log, connectTimeoutMs })
      } catch (error) {
        await stop()
        throw error
      }
      return stop
    },

    async call(ctx, contract, name, request, options = {}) {
      const timeoutMs = Math.min(options.timeoutMs ?? defaultTimeoutMs, (ctx.deadlineAt ?? Infinity) - Date.now())
      addressOf(contract.topic, options.target)
      const e = envelope('call', ctx, { topic: contract.topic, target: options.target, name, deadlineAt: Date.now() + timeoutMs }, request)
      const answer = await asking.ask(e, options.repeatable)
      if ('fault' in answer) throw faultFrom(answer.fault)
      if ('bug' in answer) throw bugOnTheOtherSide(e)
      return answer.reply as never
    },

    async cast(tx, ctx, contract, name, message, options = {}) {
      if (!outbox) throw new Error('this bus was opened without a store: it cannot cast')
      const address = addressOf(contract.topic, options.target)
      await putInOutbox(tx, address, envelope('cast', ctx, { topic: contract.topic, target: options.target, name, lane: options.lane }, message))
      tx.afterCommit(() => outbox.wake(address))
    },

    notify(ctx, topic, message) {
      const e = overTheWire(envelope('notify', ctx, { topic: topic.topic, name: '' }, message))
      notifying.get().then((ch) => ch.basicPublish({ exchange: notifyExchange.exchange, routingKey: topic.topic }, e))
        .catch((error: unknown) => log.debug({ topic: topic.topic, error: explain(error) }, 'a notification was not sent'))
    },

    async listen(topic, handler) {
      const consumer = await consume({
        queue: '', queueOptions: { exclusive: true, autoDelete: true }, noAck: true,
        exchanges: [notifyExchange], queueBindings: [{ exchange: notifyExchange.exchange, routingKey: topic.topic }],
      }, async (message) => {
        const e: unknown = message.body
        if (!isEnvelope(e)) return
        await Promise.resolve(e).then(() => handler(contextFor(e), e.body as never))
          .catch((error: unknown) => log.error({ topic: topic.topic, requestId: e.requestId, error: explain(error) }, 'a listener failed'))
      })
      return once(() => stopConsumer(consumer))
    },

    close: once(async () => {
      closing = true
      await Promise.all([...stops].map((stop) => stop()))
      await outbox?.close()
      await Promise.all([...consumers].map(stopConsumer))
      // A broker that is away must not hold up the end of the process.
      const orderly = await Promise.race([
        Promise.all([asking.close(), notifying.close(), out.close()]).then(() => connection.close()).then(() => true, () => false), delay(3_000, false, { ref: false }),
      ])
      if (!orderly) connection.unsafeDestroy()
    }),
  }
}

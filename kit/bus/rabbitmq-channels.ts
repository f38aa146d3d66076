// What every user of the broker shares: the names and kinds of our queues, a connection that comes back, and confirmed sending.
import { Connection, type Channel } from 'rabbitmq-client'
import { explain } from '#base/errors.ts'
import type { Log } from '#base/context.ts'
import { deliveryLimit } from './bus.ts'

export interface Queue { queue: string, durable: true, arguments: Record<string, string | number | boolean> }

export const deadQueue: Queue = { queue: 'pileus.dead', durable: true, arguments: { 'x-queue-type': 'quorum' } }

/**
 * Commands: on disk on a majority of brokers. A message that kills whoever takes it ends in the dead queue after `deliveryLimit` times. A host's
 * queue has one active reader, so that its order survives when an old agent and its successor overlap.
 */
export const castQueue = (address: string, targeted: boolean): Queue => ({
  queue: `pileus.${address}.cast`, durable: true,
  arguments: {
    'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit, ...(targeted && { 'x-single-active-consumer': true }),
    'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': deadQueue.queue, 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish',
  },
})

/** Questions: worthless after their deadline, so in memory; the queue goes when nobody has served it for a minute. */
export const callQueue = (address: string): Queue => ({ queue: `pileus.${address}.call`, durable: true, arguments: { 'x-expires': 60_000 } })

export const notifyExchange = { exchange: 'pileus.notify', type: 'direct', durable: true }

/** Connects, or says what is wrong without telling the password. After that the connection is restored for as long as it takes. */
export async function connect(text: string, connectTimeoutMs: number, log: Log): Promise<Connection> {
  const url = URL.parse(text)
  if (!url || !/^amqps?:$/.test(url.protocol)) throw new Error('the RabbitMQ URL must look like amqp://USER:PASSWORD@HOST:PORT/VHOST')
  const where = `RabbitMQ at ${url.hostname}:${url.port || (url.protocol === 'amqps:' ? 5671 : 5672)}`
  const connection = new Connection({
    // Nagle's algorithm against delayed acknowledgements costs 40 ms a call.
    url: text, noDelay: true, connectionName: 'pileus', heartbeat: 20, frameMax: 131_072, acquireTimeout: 5_000, retryLow: 100, retryHigh: 3_000,
  })
  connection.on('connection', () => log.info({}, `connected to ${where}`))
  connection.on('error', (error: unknown) => log.warn({ error: explain(error) }, `trouble with ${where}`))
  const refused = Promise.withResolvers<never>()
  const onError = (error: { code?: string }): void => { if (error.code === 'ACCESS_REFUSED' || error.code === 'NOT_ALLOWED') refused.reject(error) }
  connection.on('error', onError)
  try {
    await Promise.race([connection.onConnect(connectTimeoutMs, true), refused.promise])
  } catch (error) {
    connection.unsafeDestroy()
    const code = (error as { code?: string }).code
    throw new Error(code === 'ACCESS_REFUSED' ? `${where} refused the user or the password` : code === 'NOT_ALLOWED' ? `${where} refused the virtual host ${url.pathname}` : `${where} cannot be reached`, { cause: error })
  } finally {
    connection.off('error', onError)
  }
  return connection
}

/** A channel that is opened when first needed and again whenever it is gone. */
export interface KeptChannel { get(): Promise<Channel>, close(): Promise<void> }

export function keptChannel(connection: Connection, prepare: (channel: Channel) => Promise<unknown>): KeptChannel {
  let current: Promise<Channel> | undefined
  return {
    get: () => current ??= (async () => {
      try {
        const channel = await connection.acquire({ emitErrorsFromChannel: true })
        channel.on('error', () => {})
        channel.once('close', () => { current = undefined })
        await prepare(channel)
        return channel
      } catch (error) {
        current = undefined
        throw error
      }
    })(),
    close: async () => { await current?.then((channel) => channel.close(), () => {}) },
  }
}

export interface Sender {
  /** Resolves once the broker has the message safely. Messages sent one after another arrive so. */
  send(queue: Queue, id: string, body: object): Promise<void>
  close(): Promise<void>
}

export function sender(connection: Connection): Sender {
  const returned = new Set<string>()
  let declared = new Map<string, Promise<unknown>>()
  const channel = keptChannel(connection, async (ch) => {
    declared = new Map()
    ch.on('basic.return', (message) => { if (message.messageId !== undefined) returned.add(message.messageId) })
    await ch.confirmSelect()
  })
  return {
    async send(queue, id, body) {
      const ch = await channel.get()
      let declaration = declared.get(queue.queue)
      if (!declaration) declared.set(queue.queue, declaration = ch.queueDeclare(queue))
      await declaration
      await ch.basicPublish({ routingKey: queue.queue, mandatory: true, durable: true, messageId: id }, body)
      // The client tells of a returned message one turn after its confirmation.
      await new Promise(setImmediate)
      if (returned.delete(id)) {
        declared.delete(queue.queue)
        throw new Error(`the queue ${queue.queue} has vanished`)
      }
    },
    close: channel.close,
  }
}

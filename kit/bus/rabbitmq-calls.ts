// Asking over the broker: one channel with RabbitMQ's direct reply-to, answers matched by id.
import { setTimeout as delay } from 'node:timers/promises'
import type { Channel, Connection } from 'rabbitmq-client'
import { addressOf } from './contract.ts'
import { type Answer, type Envelope, noAnswer } from './envelope.ts'
import { callQueue, keptChannel } from './rabbitmq-channels.ts'

type Outcome = { answer: Answer } | 'unroutable' | 'lost' | 'late'
interface Waiting { channel: Channel, end(outcome: Outcome): void }

export interface Calls {
  /** `repeatable`: asked again when nobody knows what became of it. */
  ask(e: Envelope, repeatable?: boolean): Promise<Answer>
  close(): Promise<void>
}

export function calls(connection: Connection): Calls {
  const waiting = new Map<string, Waiting>()
  let closed = false
  const channel = keptChannel(connection, async (ch) => {
    ch.on('basic.return', (message) => waiting.get(message.correlationId ?? '')?.end('unroutable'))
    ch.once('close', () => { for (const w of waiting.values()) if (w.channel === ch) w.end('lost') })
    await ch.basicConsume({ queue: 'amq.rabbitmq.reply-to', noAck: true }, (message) => waiting.get(message.correlationId ?? '')?.end({ answer: message.body as Answer }))
  })

  /** Within `ms`, or undefined. */
  const soon = async <T>(promise: Promise<T>, ms: number): Promise<T | undefined> => {
    let timer: NodeJS.Timeout | undefined
    try { return await Promise.race([promise, new Promise<undefined>((over) => { timer = setTimeout(() => over(undefined), ms) })]) } finally { clearTimeout(timer) }
  }

  async function once(ch: Channel, e: Envelope, leftMs: number): Promise<Outcome> {
    const over = Promise.withResolvers<Outcome>()
    const timer = setTimeout(over.resolve, Math.min(leftMs, 2 ** 31 - 1), 'late')
    waiting.set(e.id, { channel: ch, end: over.resolve })
    try {
      // Not confirmed: the answer itself is the confirmation.
      ch.basicPublish({ routingKey: callQueue(addressOf(e.topic, e.target)).queue, mandatory: true, replyTo: 'amq.rabbitmq.reply-to', correlationId: e.id, expiration: String(Math.ceil(leftMs)) }, e)
        .catch(() => over.resolve('lost'))
      return await over.promise
    } finally {
      clearTimeout(timer)
      waiting.delete(e.id)
    }
  }

  return {
    async ask(e, repeatable = false) {
      const deadlineAt = e.deadlineAt!
      let why = 'the deadline had passed'
      for (;;) {
        const leftMs = deadlineAt - Date.now()
        if (leftMs <= 0) throw noAnswer(e, why)
        if (closed) throw noAnswer(e, 'the bus is closed')
        const ch = await soon(channel.get().catch(() => undefined), leftMs)
        if (!ch?.active) {
          why = 'the broker cannot be reached'
          await delay(Math.min(100, leftMs))
          continue
        }
        const outcome = await once(ch, e, deadlineAt - Date.now())
        if (outcome === 'late') throw noAnswer(e, 'no answer in time')
        // It may have been done: only the caller knows whether to ask again.
        if (outcome === 'lost') {
          why = closed ? 'the bus was closed' : 'the connection to the broker broke while the answer was awaited'
          if (closed || !repeatable) throw noAnswer(e, why)
          continue
        }
        if (outcome !== 'unroutable') {
          const { answer } = outcome
          if (!repeatable || !('fault' in answer) || answer.fault.type !== 'NoAnswer') return answer
          why = answer.fault.adminDetail ?? 'its server vanished while at it'
          await delay(Math.min(200, Math.max(0, deadlineAt - Date.now())))
          continue
        }
        // Certainly not done: its server may be starting, or coming back after the broker's restart.
        why = 'nobody serves it'
        await delay(Math.min(200, Math.max(0, deadlineAt - Date.now())))
      }
    },
    close() {
      closed = true
      for (const w of waiting.values()) w.end('lost')
      return channel.close()
    },
  }
}

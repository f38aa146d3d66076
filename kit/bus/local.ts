// The bus within one process: a table of servers. Messages make the round trip through JSON, so that nothing works here that a broker would break.
import { explain, faultFrom } from '#base/errors.ts'
import { type Bus, type Settings, defaultTimeoutMs, deliveryLimit, once } from './bus.ts'
import { addressOf } from './contract.ts'
import { type Answer, type Envelope, bugOnTheOtherSide, defaultContextFor, envelope, noAnswer, overTheWire } from './envelope.ts'
import { type Server, serverOf } from './serving.ts'
import { type Fate, type Outbox, openOutbox } from './outbox.ts'
import { type OutboxRow, bury, countAttempt, putInOutbox } from './store.ts'

type Listener = (e: Envelope) => void

export async function openLocalBus(settings: Settings): Promise<Bus> {
  const { store, log } = settings
  const contextFor = settings.contextFor ?? defaultContextFor(log)
  const servers = new Map<string, Server[]>()
  const listeners = new Map<string, Set<Listener>>()
  let turns = 0, closed = false

  /** Takes turns between the servers of one address. */
  const pick = (address: string): Server | undefined => {
    const there = servers.get(address)
    return there && there[turns++ % there.length]
  }

  async function bring(row: OutboxRow): Promise<Fate> {
    // One server an address has its casts, the first: between several a lane would lose its order.
    const server = servers.get(row.address)?.[0]
    if (!server) return 'kept'
    try {
      const end = row.takes >= deliveryLimit ? { dead: `taken ${row.takes} times without an end`, attempts: row.attempts }
        : await server.handle(row.envelope, { failures: row.attempts, deliveries: row.takes }, (attempts) => countAttempt(store!, row.id, attempts))
      if (typeof end === 'string') return end
      log.error({ id: row.envelope.id, address: row.address, error: end.dead }, 'a cast is given up on and kept as a dead letter')
      await store!.tx((tx) => bury(tx, { address: row.address, attempts: end.attempts, error: end.dead, envelope: row.envelope }), { durable: true })
      return 'done'
    } catch (error) {
      log.error({ id: row.envelope.id, address: row.address, error: explain(error) }, 'a cast is put off')
      return 'kept'
    }
  }

  const outbox: Outbox | undefined = store && await openOutbox(store, settings, {
    wants: (address) => servers.has(address),
    carry: (_address, rows) => rows.map(bring),
    window: 64,
    counting: true,
  })

  const bus: Bus = {
    async serve(contract, handlers, options = {}) {
      const address = addressOf(contract.topic, options.target)
      const server = serverOf(settings, contract, handlers, options)
      servers.set(address, [...servers.get(address) ?? [], server])
      outbox?.wake(address)
      return once(async () => {
        const left = servers.get(address)!.filter((s) => s !== server)
        if (left.length > 0) servers.set(address, left)
        else servers.delete(address)
        await server.stop()
        if (left.length === 0) await outbox?.rest(address)
      })
    },

    async call(ctx, contract, name, request, options = {}) {
      const address = addressOf(contract.topic, options.target)
      const timeoutMs = Math.min(options.timeoutMs ?? defaultTimeoutMs, (ctx.deadlineAt ?? Infinity) - Date.now())
      const e = envelope('call', ctx, { topic: contract.topic, target: options.target, name, deadlineAt: Date.now() + timeoutMs }, request)
      if (closed) throw noAnswer(e, 'the bus is closed')
      const server = pick(address)
      if (!server) throw noAnswer(e, 'nobody serves it')
      if (timeoutMs <= 0) throw noAnswer(e, 'the deadline had passed')
      const answer = await inTime(server.answer(overTheWire(e)), timeoutMs)
      if (answer === 'late') throw noAnswer(e, `no answer within ${timeoutMs} ms`)
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
      for (const listener of listeners.get(topic.topic) ?? []) setImmediate(listener, e)
    },

    async listen(topic, handler) {
      const listener: Listener = (e) => {
        Promise.resolve(e).then(() => handler(contextFor(e), overTheWire(e.body) as never))
          .catch((error: unknown) => log.error({ topic: topic.topic, requestId: e.requestId, error: explain(error) }, 'a listener failed'))
      }
      const all = listeners.get(topic.topic) ?? new Set()
      listeners.set(topic.topic, all.add(listener))
      return async () => { all.delete(listener) }
    },

    close: once(async () => {
      closed = true
      const all = [...servers.values()].flat()
      servers.clear()
      listeners.clear()
      await Promise.all(all.map((server) => server.stop()))
      await outbox?.close()
    }),
  }
  return bus
}

/** The answer, or 'late'. */
async function inTime(answer: Promise<Answer>, ms: number): Promise<Answer | 'late'> {
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(late.resolve, Math.min(ms, 2 ** 31 - 1), 'late')
  try { return await Promise.race([answer, late.promise]) } finally { clearTimeout(timer) }
}

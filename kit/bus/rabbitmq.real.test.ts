// The bus over a real broker: the common suite, and what only a broker can do wrong.
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, mock, test } from 'node:test'
import { Connection } from 'rabbitmq-client'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { waitFor } from '#base/retry.ts'
import { startRabbitmq, type RabbitmqServer } from '#test/servers/rabbitmq.ts'
import { scratch } from '#test/servers/process.ts'
import type { Store } from '#kit/store/store.ts'
import { openBus, type Bus, type BusOptions } from './bus.ts'
import { call, cast, contract } from './contract.ts'
import { castQueue } from './rabbitmq-channels.ts'
import { listDeadLetters } from './store.ts'
import { busSuite } from './suite.ts'
import { storeForTests } from './suite-rig.ts'

const { dir, remove: removeDir } = scratch('rabbitmq')
let started: Promise<RabbitmqServer> | undefined
const broker = (): Promise<RabbitmqServer> => started ??= startRabbitmq(join(dir, 'node'))
const opened: Bus[] = [], connections: Connection[] = [], removals: (() => Promise<void>)[] = []
const open = async (options: BusOptions = {}): Promise<Bus> => {
  const bus = await openBus({ transport: 'rabbitmq', url: (await broker()).url, ...options })
  opened.push(bus)
  return bus
}
const database = async (): Promise<Store> => {
  const { store, remove } = await storeForTests()
  removals.push(remove)
  return store
}
/** A stranger on the broker, who can vanish. */
const stranger = async (): Promise<Connection> => {
  const connection = new Connection({ url: (await broker()).url, noDelay: true })
  connection.on('error', () => {})
  connections.push(connection)
  return connection
}
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.unsafeDestroy()
  await Promise.all(opened.splice(0).map((bus) => bus.close()))
  for (const remove of removals.splice(0)) await remove()
})
after(async () => {
  await (await started)?.stop()
  removeDir()
})
const ctx = plainContext()
const waitMs = 60_000

busSuite('RabbitMQ', async () => { await broker(); return { open, reaches: true } })

test('Nagle\'s algorithm is off on the broker\'s socket', async () => {
  await broker()
  const noDelay = mock.method(Socket.prototype, 'setNoDelay')
  await open()
  const port = Number(new URL((await broker()).url).port)
  assert.ok(noDelay.mock.calls.some((c) => c.arguments[0] === true && (c.this as Socket).remotePort === port), 'setNoDelay(true) on the connection to the broker')
  noDelay.mock.restore()
})

test('what is wrong with the broker\'s address is said, the password is not', async () => {
  const url = new URL((await broker()).url)
  const withUrl = (change: (u: URL) => void): string => { const u = new URL(url); change(u); return u.href }
  for (const [bad, words] of [
    [withUrl((u) => { u.password = 'wrongsecret' }), /refused the user or the password/],
    [withUrl((u) => { u.pathname = '/nowhere'; }), /refused the virtual host/],
    [withUrl((u) => { u.port = '1'; u.password = 'wrongsecret' }), /127\.0\.0\.1:1 cannot be reached/],
    ['amqp//wrongsecret', /must look like/],
  ] as const) {
    await assert.rejects(openBus({ transport: 'rabbitmq', url: bad, connectTimeoutMs: 2_000 }), (error: Error) => {
      assert.match(error.message, words)
      for (let e: unknown = error; e instanceof Error; e = e.cause) assert.doesNotMatch(JSON.stringify(e, Object.getOwnPropertyNames(e)), new RegExp(`wrongsecret|${url.password}`))
      return true
    })
  }
})

test('a restart of the broker in the middle loses no cast, breaks calls in flight clearly, and everything goes on', async () => {
  const store = await database()
  const server = await broker()
  const c = contract('restarted', { ask: call<number, number>(), hang: call<number, number>(), work: cast<{ n: number }>() })
  const bus = await open({ store, scanMs: 200 })
  const got: number[] = []
  const hanging = Promise.withResolvers<void>(), never = Promise.withResolvers<number>()
  const agent = await open()
  await agent.serve(c, { ask: async (_ctx, n) => n + 1, hang: async () => { hanging.resolve(); return never.promise }, work: async (_ctx, { n }) => { got.push(n) } }, { target: 'host-1' })

  for (const hard of [false, true]) {
    const from = hard ? 1_000 : 0
    const inFlight = bus.call(ctx, c, 'hang', 1, { target: 'host-1', timeoutMs: waitMs })
    inFlight.catch(() => {})
    await hanging.promise
    let stopSending = false, sent = from
    const sending = (async () => {
      while (!stopSending || sent < from + 50) {
        await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n: sent++ }, { target: 'host-1' }))
        await new Promise(setImmediate)
      }
    })()
    await waitFor('the first casts', () => got.some((n) => n >= from) || undefined, waitMs, 5)
    await server.halt({ hard })
    await assert.rejects(inFlight, (error: unknown) => isFault(error, 'unavailable') && /broke/.test(error.adminDetail ?? ''))
    // Asked while the broker is away: waits for it and is then answered.
    const asked = bus.call(ctx, c, 'ask', 1, { target: 'host-1', timeoutMs: waitMs })
    stopSending = true
    await sending
    never.resolve(0)
    await server.resume()
    assert.equal(await asked, 2)
    await waitFor(`all casts up to ${sent}`, () => { const all = new Set(got); for (let n = from; n < sent; n++) if (!all.has(n)) return undefined; return true }, waitMs)
    const mine = got.filter((n) => n >= from)
    const firsts = [...new Set(mine)]
    assert.deepEqual(firsts, firsts.toSorted((a, b) => a - b), 'first deliveries are in order')
    assert.ok(mine.length - firsts.length <= 200, 'only what was in flight comes twice')
  }
})

test('a reader that stops hands the rest to the next one in order', async () => {
  const store = await database()
  const bus = await open({ store })
  for (let round = 0; round < 25; round++) {
    const c = contract(`handed-${round}`, { work: cast<{ n: number }>() })
    const got: number[] = []
    const begun = Promise.withResolvers<void>(), gate = Promise.withResolvers<void>(), all = Promise.withResolvers<void>()
    const old = await open()
    await old.serve(c, { work: async (_ctx, { n }) => { begun.resolve(); await gate.promise; got.push(n) } }, { target: 'host-1' })
    await store.tx(async (tx) => { for (let n = 0; n < 20; n++) await bus.cast(tx, ctx, c, 'work', { n }, { target: 'host-1' }) })
    await begun.promise
    const closing = old.close()
    gate.resolve()
    await closing
    await (await open()).serve(c, { work: async (_ctx, { n }) => { got.push(n); if (new Set(got).size === 20) all.resolve() } }, { target: 'host-1' })
    await all.promise
    assert.deepEqual(got, [...Array(20).keys()])
  }
})

test('a message that kills whoever takes it ends among the dead letters', async () => {
  const store = await database()
  const c = contract('killer', { work: cast<{ n: number }>() })
  const bus = await open({ store })
  await store.tx(async (tx) => { for (const n of [1, 2]) await bus.cast(tx, ctx, c, 'work', { n }, { target: 'host-1' }) })
  const queue = castQueue('killer.host-1', true)
  // Agents that take the first message and vanish with it.
  for (let lives = 0; lives < 25; lives++) {
    const agent = await stranger()
    const taken = Promise.withResolvers<number>()
    taken.promise.catch(() => {})
    // RabbitMQ 3.10 now and then answers a new reader with INTERNAL_ERROR when the one before has just vanished: that life is tried again.
    const n = await (async () => {
      const channel = await agent.acquire({ emitErrorsFromChannel: true })
      channel.on('error', taken.reject)
      await channel.queueDeclare(queue)
      await channel.basicQos({ prefetchCount: 1 })
      await channel.basicConsume({ queue: queue.queue }, (message) => taken.resolve((message.body as { body: { n: number } }).body.n))
      return taken.promise
    })().catch(() => undefined)
    agent.unsafeDestroy()
    if (n === 2) break
  }
  const letters = await waitFor('the dead letter', async () => { const all = await store.read((tx) => listDeadLetters(tx)); return all.length > 0 && all || undefined }, waitMs)
  assert.deepEqual(letters.map((l) => [l.address, l.envelope.body]), [['killer.host-1', { n: 1 }]])
  const got: [number, number][] = []
  await bus.serve(c, { work: async (_ctx, { n }, { attempt }) => { got.push([n, attempt]) } }, { target: 'host-1' })
  await waitFor('the other', () => got.length > 0 || undefined, waitMs)
  assert.equal(got[0]![0], 2)
  assert.ok(got[0]![1] > 1, 'its server knows that it may have been worked on before')
})

for (const repeatable of [false, true]) test(`a call whose server vanished while at it ${repeatable ? 'is asked again if its caller allows it' : 'fails at once and is not done a second time'}`, async () => {
  const name = repeatable ? 'vanishing2' : 'vanishing', c = contract(name, { ask: call<number, string>() })
  const bus = await open()
  let second = 0
  const dying = await stranger()
  const channel = await dying.acquire()
  await channel.queueDeclare({ queue: `pileus.${name}.call`, durable: true, arguments: { 'x-expires': 60_000 } })
  const taken = Promise.withResolvers<void>()
  await channel.basicConsume({ queue: `pileus.${name}.call` }, () => taken.resolve())
  const asked = bus.call(ctx, c, 'ask', 1, { timeoutMs: waitMs, repeatable })
  asked.catch(() => {})
  await taken.promise
  await bus.serve(c, { ask: async () => { second++; return 'second' } })
  dying.unsafeDestroy()
  if (repeatable) return assert.equal(await asked, 'second')
  await assert.rejects(asked, (error: unknown) => isFault(error, 'unavailable') && /vanished/.test(error.adminDetail ?? ''))
  assert.equal(second, 0)
})

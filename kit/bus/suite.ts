// What every transport of the bus promises, as tests.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { badRequest, conflict, isFault, unavailable } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { migrate } from '#kit/store/migrations.ts'
import { openStore, type Store, type StoreConfig } from '#kit/store/store.ts'
import type { Bus, BusOptions } from './bus.ts'
import { call, cast, contract, topic } from './contract.ts'
import { busMigrations, discardDeadLetter, listDeadLetters, redeliver } from './store.ts'

export interface Transport {
  open(options: BusOptions): Promise<Bus>
  /** Whether two open buses reach each other's servers. */
  reaches: boolean
  /** An empty database; SQLite by default. */
  database?(): Promise<StoreConfig>
}

const waitMs = 20_000
const quick = { attempts: 3, firstMs: 5, maxMs: 20 }

/** A contract nobody else of this run uses. */
const fresh = () => contract(`suite-${newHexId().slice(0, 12)}`, {
  add: call<{ a: number, b: number }, { sum: number }>(), echo: call<unknown, unknown>(), work: cast<{ n: number, note?: string }>(),
})
/** For what a test's servers have no part in. */
const idle = { add: async ({}, { a, b }: { a: number, b: number }) => ({ sum: a + b }), echo: async (_ctx: unknown, it: unknown) => it, work: async () => {} }
const ctx = plainContext({ actor: { userId: 'u1', userName: 'ann', projectId: 'p1', roles: ['member'] }, requestId: 'req-1', traceId: 'trace-1', resourceId: 'server-1' })

/** Opens a database with the bus' tables; the caller closes it. */
export async function storeForTests(database?: () => Promise<StoreConfig>): Promise<{ store: Store, remove(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-bus-'))
  const store = await openStore(await database?.() ?? { engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  await migrate(store, [{ area: 'kit/bus', migrations: busMigrations }])
  return { store, async remove() { await store.close(); rmSync(dir, { recursive: true, force: true }) } }
}

export function busSuite(name: string, start: () => Promise<Transport>): void {
  describe(`bus: ${name}`, () => {
    let transport: Transport | undefined
    const opened: Bus[] = []
    const removals: (() => Promise<void>)[] = []
    // Before the next test: buses of one broker share its dead letters.
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((bus) => bus.close()))
      for (const remove of removals.splice(0)) await remove()
    })
    async function rig(options: BusOptions = {}) {
      transport ??= await start()
      const { store, remove } = await storeForTests(transport.database)
      removals.push(remove)
      const open = async (over: BusOptions = {}): Promise<Bus> => {
        const bus = await transport!.open({ store, retry: quick, scanMs: 200, ...options, ...over })
        opened.push(bus)
        return bus
      }
      const waiting = (): Promise<number> => store.read(async (tx) => (await tx.db.selectFrom('kitOutbox').select('id').execute()).length)
      const empty = (): Promise<unknown> => waitFor('the outbox to be empty', async () => (await waiting()) === 0 || undefined, waitMs, 5)
      return { store, bus: await open(), open, waiting, empty }
    }

    test('a call is answered, and its context crosses without a credential', async () => {
      const { bus } = await rig()
      const c = fresh()
      const seen: unknown[] = []
      const stop = await bus.serve(c, { ...idle, echo: async (there, it, delivery) => { seen.push([there.actor, there.requestId, there.traceId, there.resourceId, there.deadlineAt, delivery.attempt]); return it } })
      const actor = { ...ctx.actor, token: 'secret', system: undefined }
      const deadlineAt = Date.now() + 30_000
      assert.deepEqual(await bus.call({ ...ctx, actor, deadlineAt }, c, 'add', { a: 2, b: 3 }), { sum: 5 })
      assert.deepEqual(await bus.call({ ...ctx, actor, deadlineAt }, c, 'echo', [null, 'ß', { deep: [1] }]), [null, 'ß', { deep: [1] }])
      assert.deepEqual(seen, [[ctx.actor, 'req-1', 'trace-1', 'server-1', (seen[0] as unknown[])[4], 1]])
      assert.ok(Math.abs((seen[0] as number[])[4]! - deadlineAt) < 1_000, 'the caller\'s deadline is passed along')
      await stop()
    })

    test('a Fault arrives as the same Fault, a bug as an error without its reason', async () => {
      const { bus } = await rig()
      const c = fresh()
      const stop = await bus.serve(c, {
        ...idle, add: async () => { throw conflict('Port is in use', { type: 'PortInUse', adminDetail: 'on host-7', cause: new Error('inside') }) },
        echo: async () => { throw new Error('the password is hunter2') },
      })
      await assert.rejects(bus.call(ctx, c, 'add', { a: 1, b: 1 }), (error: unknown) =>
        isFault(error, 'conflict') && error.message === 'Port is in use' && error.type === 'PortInUse' && error.adminDetail === 'on host-7')
      await assert.rejects(bus.call(ctx, c, 'echo', 1), (error: unknown) => error instanceof Error && !isFault(error) && !/hunter2/.test(error.message) && /req-1/.test(error.message))
      await stop()
    })

    test('messages are what JSON makes of them', async () => {
      const { bus } = await rig()
      const c = fresh()
      const stop = await bus.serve(c, idle)
      const sent = { at: new Date(0), gone: undefined, ['__proto__x']: 1 }
      assert.deepEqual(await bus.call(ctx, c, 'echo', sent), { at: '1970-01-01T00:00:00.000Z', '__proto__x': 1 })
      assert.equal(await bus.call(ctx, c, 'echo', undefined), undefined)
      await assert.rejects(bus.call(ctx, c, 'echo', 1n), TypeError)
      const big = 'x'.repeat(2_000_000)
      assert.equal(await bus.call(ctx, c, 'echo', big), big)
      await stop()
    })

    test('nobody serving, a late answer and a deadline in the past are the Fault "unavailable"', async () => {
      const { bus } = await rig()
      const c = fresh()
      const silent = (error: unknown): boolean => isFault(error, 'unavailable') && error.type === 'NoAnswer' && !error.message.includes('host-1') && (error.adminDetail ?? '').includes(c.topic)
      await assert.rejects(bus.call(ctx, c, 'add', { a: 1, b: 1 }, { target: 'host-1', timeoutMs: 250 }), silent)
      const done = Promise.withResolvers<void>(), asked = Promise.withResolvers<number | undefined>()
      let calls = 0
      const stop = await bus.serve(c, { ...idle, echo: async (there) => { calls++; asked.resolve(there.deadlineAt); await done.promise; return 1 } })
      const before = Date.now()
      await assert.rejects(bus.call(ctx, c, 'echo', 1, { timeoutMs: 400 }), silent)
      assert.ok((await asked.promise)! - before < 2_000, 'the server is told until when somebody waits')
      done.resolve()
      await assert.rejects(bus.call({ ...ctx, deadlineAt: Date.now() - 1 }, c, 'echo', 1), silent)
      assert.equal(calls, 1)
      await stop()
      await assert.rejects(bus.call(ctx, c, 'add', { a: 1, b: 1 }, { timeoutMs: 300 }), silent, 'a stopped server answers no more')
    })

    test('a target has its own servers; a member its server does not know is not implemented', async () => {
      const { bus } = await rig()
      const c = fresh()
      const stops = await Promise.all(['host-1', 'host-2'].map((target) => bus.serve(c, { ...idle, echo: async () => target }, { target })))
      assert.deepEqual(await Promise.all(['host-2', 'host-1', 'host-2'].map((target) => bus.call(ctx, c, 'echo', 0, { target }))), ['host-2', 'host-1', 'host-2'])
      const newer = contract(c.topic, { ...c.members, constructor: call<object, object>(), later: call<object, object>() })
      await assert.rejects(bus.call(ctx, newer, 'later', {}, { target: 'host-1' }), (error: unknown) => isFault(error, 'notImplemented'))
      await assert.rejects(bus.call(ctx, newer, 'constructor', {}, { target: 'host-1' }), (error: unknown) => isFault(error, 'notImplemented'))
      await assert.rejects(bus.call(ctx, c, 'echo', 0, { target: 'not a host' }), /host name/)
      await Promise.all(stops.map((stop) => stop()))
    })

    test('no more calls run at once than the server allows', async () => {
      const { bus } = await rig()
      const c = fresh()
      let now = 0, most = 0
      const stop = await bus.serve(c, { ...idle, echo: async (_ctx, it) => { most = Math.max(most, ++now); await new Promise(setImmediate); now--; return it } }, { concurrency: 3 })
      assert.deepEqual(await Promise.all([...Array(40).keys()].map((n) => bus.call(ctx, c, 'echo', n))), [...Array(40).keys()])
      assert.equal(most, 3)
      await stop()
    })

    test('a cast goes out with the commit, never without it, and leaves the outbox', async () => {
      const { bus, store, empty } = await rig()
      const c = fresh()
      const got: unknown[] = []
      const stop = await bus.serve(c, { ...idle, work: async (there, { n }) => { got.push([n, there.requestId, there.resourceId, there.deadlineAt, there.actor.userName]) } }, { target: 'host-1' })
      await assert.rejects(store.tx(async (tx) => { await bus.cast(tx, ctx, c, 'work', { n: 1 }, { target: 'host-1' }); throw new Error('undo') }), /undo/)
      await store.tx(async (tx) => {
        await bus.cast(tx, { ...ctx, deadlineAt: Date.now() + 5 }, c, 'work', { n: 2 }, { target: 'host-1' })
        assert.deepEqual(got, [])
      })
      await waitFor('the cast', () => got.length > 0 || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [[2, 'req-1', 'server-1', undefined, 'ann']])
      await stop()
    })

    test('casts to an address keep their order, one after another', async () => {
      const { bus, store, empty } = await rig()
      const c = fresh()
      const got: number[] = []
      let now = 0, most = 0
      const stop = await bus.serve(c, { ...idle, work: async (_ctx, { n }) => { most = Math.max(most, ++now); await new Promise(setImmediate); now--; got.push(n) } }, { target: 'host-1' })
      for (let n = 0; n < 300; n += 3) {
        await store.tx(async (tx) => { for (let i = n; i < n + 3; i++) await bus.cast(tx, ctx, c, 'work', { n: i }, { target: 'host-1' }) })
      }
      await waitFor('300 casts', () => got.length >= 300 || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [...Array(300).keys()])
      assert.equal(most, 1)
      await stop()
    })

    test('no wake is lost, however slow the database answers', { timeout: waitMs }, async () => {
      const { store, open } = await rig({ scanMs: 3_600_000 })
      let turns = 0
      // Answers a little later each time, so that commits fall into every moment of the pump's turn.
      const slow: Store = {
        ...store, get queries() { return store.queries }, as: () => slow,
        async tx(work, options) {
          const result = await store.tx(work, options)
          for (let i = turns++ % 7; i > 0; i--) await new Promise(setImmediate)
          return result
        },
      }
      const bus = await open({ store: slow })
      const c = fresh()
      let arrived = Promise.withResolvers<void>()
      await bus.serve(c, { ...idle, work: async () => { arrived.resolve() } }, { target: 'host-1' })
      for (let n = 0; n < 200; n++) {
        for (let i = n % 11; i > 0; i--) await new Promise(setImmediate)
        arrived = Promise.withResolvers()
        await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n }, { target: 'host-1' }))
        await arrived.promise
      }
    })

    test('lanes of an address go side by side, each in order', async () => {
      const { bus, store } = await rig()
      const c = fresh()
      const got: number[] = []
      const gate = Promise.withResolvers<void>()
      const stop = await bus.serve(c, { ...idle, work: async (_ctx, { n }) => { if (n === 0) await gate.promise; got.push(n) } })
      await store.tx(async (tx) => { for (let n = 0; n < 9; n++) await bus.cast(tx, ctx, c, 'work', { n }, { lane: `server-${n % 3}` }) })
      await waitFor('the free lanes', () => got.length === 6 || undefined, waitMs, 5)
      gate.resolve()
      await waitFor('all lanes', () => got.length === 9 || undefined, waitMs, 5)
      for (const lane of [0, 1, 2]) assert.deepEqual(got.filter((n) => n % 3 === lane), [lane, lane + 3, lane + 6])
      await stop()
    })

    test('a handler that throws is tried again, before what follows in its lane; a refusal is not repeated', async () => {
      const { bus, store, empty } = await rig()
      const c = fresh()
      const got: [number, number][] = []
      const stop = await bus.serve(c, {
        ...idle, work: async (_ctx, { n }, { attempt }) => {
          got.push([n, attempt])
          if (n === 0 && attempt === 1) throw new Error('not yet')
          if (n === 1 && attempt === 1) throw unavailable('Try again')
          if (n === 2) throw badRequest('never')
        },
      })
      await store.tx(async (tx) => { for (let n = 0; n < 4; n++) await bus.cast(tx, ctx, c, 'work', { n }) })
      await waitFor('all', () => got.length >= 6 || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [[0, 1], [0, 2], [1, 1], [1, 2], [2, 1], [3, 1]])
      assert.deepEqual(await store.read((tx) => listDeadLetters(tx)), [])
      await stop()
    })

    test('a cast that never succeeds becomes a dead letter, and can be sent again or discarded', async () => {
      const { bus, store, empty } = await rig()
      const c = fresh()
      const got: [number, number][] = []
      let healed = false
      const stop = await bus.serve(c, { ...idle, work: async (_ctx, { n }, { attempt }) => { got.push([n, attempt]); if (n < 2 && !healed) throw new Error(`broken ${n}`) } })
      await store.tx(async (tx) => { for (let n = 0; n < 3; n++) await bus.cast(tx, ctx, c, 'work', { n }) })
      const letters = await waitFor('two dead letters', async () => { const all = await store.read((tx) => listDeadLetters(tx)); return all.length === 2 && all || undefined }, waitMs, 5)
      await waitFor('the third', () => got.some(([n]) => n === 2) || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3], [2, 1]])
      const first = letters.find((l) => l.error === 'broken 0')!, second = letters.find((l) => l.error === 'broken 1')!
      assert.deepEqual([first.address, first.attempts, first.envelope.body, first.envelope.requestId], [c.topic, 3, { n: 0 }, 'req-1'])
      healed = true
      await store.tx(async (tx) => { await redeliver(tx, first.id); await discardDeadLetter(tx, second.id) })
      await waitFor('the healed cast', () => got.length === 8 || undefined, waitMs, 5)
      assert.deepEqual(got[7], [0, 1])
      assert.deepEqual(await store.read((tx) => listDeadLetters(tx)), [])
      await assert.rejects(store.tx((tx) => redeliver(tx, first.id)), (error: unknown) => isFault(error, 'notFound'))
      await stop()
    })

    test('casts wait for their server', async () => {
      const { bus, store } = await rig()
      const c = fresh()
      await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n: 1 }, { target: 'host-9' }))
      await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n: 2 }, { target: 'host-9' }))
      const got: number[] = []
      const stop = await bus.serve(c, { ...idle, work: async (_ctx, { n }) => { got.push(n) } }, { target: 'host-9' })
      await waitFor('both', () => got.length === 2 || undefined, waitMs, 5)
      assert.deepEqual(got, [1, 2])
      await stop()
    })

    test('closing waits for what has begun; the rest comes after a restart, in order', async () => {
      const { bus, store, open, empty } = await rig()
      const c = fresh()
      const got: number[] = []
      const begun = Promise.withResolvers<void>(), gate = Promise.withResolvers<void>()
      await bus.serve(c, { ...idle, work: async (_ctx, { n }) => { begun.resolve(); await gate.promise; got.push(n) } }, { target: 'host-1' })
      await store.tx(async (tx) => { for (let n = 0; n < 20; n++) await bus.cast(tx, ctx, c, 'work', { n }, { target: 'host-1' }) })
      await begun.promise
      let closed = false
      const closing = bus.close().then(() => { closed = true })
      await new Promise(setImmediate)
      assert.equal(closed, false)
      gate.resolve()
      await closing
      assert.deepEqual(got, [0])
      const again = await open()
      await again.serve(c, { ...idle, work: async (_ctx, { n }) => { got.push(n) } }, { target: 'host-1' })
      await waitFor('the rest', () => got.length >= 20 || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [...Array(20).keys()])
    })

    test('a dead process loses its claim with the lease, or at once when it comes back under its name', async () => {
      const { bus, store, open } = await rig({ leaseMs: 300 })
      const c = fresh()
      const got: number[] = []
      const claim = (target: string, owner: string, until: number): Promise<void> => store.tx(async (tx) => {
        await tx.db.insertInto('kitOutboxClaims').values({ address: `${c.topic}.${target}`, owner, until }).execute()
      })
      await claim('host-1', 'dead', Date.now() + 300)
      await claim('host-2', 'reborn', Date.now() + 3_600_000)
      for (const target of ['host-1', 'host-2']) await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n: Number(target.slice(5)) }, { target }))
      const work = { ...idle, work: async (_ctx: unknown, { n }: { n: number }) => { got.push(n) } }
      await bus.serve(c, work, { target: 'host-1' })
      await waitFor('the expiry', () => got.length === 1 || undefined, waitMs, 5)
      assert.deepEqual(got, [1])
      const reborn = await open({ owner: 'reborn' })
      await reborn.serve(c, work, { target: 'host-2' })
      await waitFor('the second', () => got.length === 2 || undefined, waitMs, 5)
      assert.deepEqual(got, [1, 2])
    })

    test('several processes on one database deliver each cast once, in order', async () => {
      const { bus, store, open, empty } = await rig()
      const buses = [bus, await open(), await open()]
      const c = fresh()
      const got: number[] = []
      for (const each of buses) await each.serve(c, { ...idle, work: async (_ctx, { n }) => { await new Promise(setImmediate); got.push(n) } }, { target: 'host-1' })
      for (let n = 0; n < 90; n++) await store.tx((tx) => buses[n % 3]!.cast(tx, ctx, c, 'work', { n }, { target: 'host-1' }))
      await waitFor('90 casts', () => got.length >= 90 || undefined, waitMs, 5)
      await empty()
      assert.deepEqual(got, [...Array(90).keys()])
    })

    test('a notification reaches whoever listens, and nobody minds a failing listener', async () => {
      const { bus, open } = await rig()
      const other = transport!.reaches ? await open() : bus
      const news = topic<{ n: number }>(`news-${newHexId().slice(0, 8)}`)
      const heard: string[] = []
      const stopA = await bus.listen(news, async (there, { n }) => { heard.push(`a${n}${there.requestId}`) })
      await other.listen(news, (_ctx, { n }) => { heard.push(`b${n}`); throw new Error('bad listener') })
      bus.notify(ctx, news, { n: 1 })
      bus.notify(ctx, topic<object>('unheard'), {})
      await waitFor('both', () => heard.length === 2 || undefined, waitMs, 5)
      await stopA()
      bus.notify(ctx, news, { n: 2 })
      await waitFor('one', () => heard.length === 3 || undefined, waitMs, 5)
      assert.deepEqual(heard.toSorted(), ['a1req-1', 'b1', 'b2'])
      assert.throws(() => bus.notify(ctx, news, { n: 1n as unknown as number }), TypeError)
    })

    test('a bus without a database calls and serves, but refuses to cast', async () => {
      const { open, store } = await rig()
      const agent = await open({ store: undefined })
      const c = fresh()
      await agent.serve(c, idle)
      assert.deepEqual(await agent.call(ctx, c, 'add', { a: 1, b: 1 }), { sum: 2 })
      await assert.rejects(store.tx((tx) => agent.cast(tx, ctx, c, 'work', { n: 1 })), /without a store/)
    })
  })
}

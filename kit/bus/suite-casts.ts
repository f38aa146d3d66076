// What every transport of the bus promises about casts, as tests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { badRequest, isFault, unavailable } from '#base/errors.ts'
import { waitFor } from '#base/retry.ts'
import { databaseAway, type Store } from '#kit/store/store.ts'
import type { BusOptions } from './bus.ts'
import { discardDeadLetter, listDeadLetters, redeliver } from './store.ts'
import { ctx, fresh, idle, waitMs, type Rig } from './suite-rig.ts'

export function castTests(rig: (options?: BusOptions) => Promise<Rig>): void {
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

  test('a cast that meets a database that is away is tried until it is back, however often', async () => {
    const { bus, store, empty } = await rig()
    const c = fresh()
    const got: number[] = []
    const stop = await bus.serve(c, { ...idle, work: async (_ctx, { n }) => { got.push(n); if (got.length < 15) throw databaseAway('The database cannot be reached.', new Error('ECONNREFUSED')) } })
    await store.tx((tx) => bus.cast(tx, ctx, c, 'work', { n: 1 }))
    await waitFor('it to be done', () => got.length === 15 || undefined, waitMs, 5)
    await empty()
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
}

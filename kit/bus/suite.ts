// What every transport of the bus promises, as tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { conflict, isFault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { call, contract, topic } from './contract.ts'
import { castTests } from './suite-casts.ts'
import { ctx, fresh, idle, rigs, waitMs, type Transport } from './suite-rig.ts'

export function busSuite(name: string, start: () => Promise<Transport>): void {
  describe(`bus: ${name}`, () => {
    const rig = rigs(start)

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

    test('a notification reaches whoever listens, and nobody minds a failing listener', async () => {
      const { bus, open, reaches } = await rig()
      const other = reaches ? await open() : bus
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

    castTests(rig)
  })
}

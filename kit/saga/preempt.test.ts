import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { conflict } from '#base/errors.ts'
import type { Store } from '#kit/store/store.ts'
import type { Runner } from './runner.ts'
import { type Saga, saga } from './saga.ts'
import { begin, freshId, Things, type Toy, toyRunner, toyStore, who } from './toy.ts'

let toy: Toy
before(async () => { toy = await toyStore() })
after(() => toy.close())

const gate = () => Promise.withResolvers<void>()
const remove = saga<null, Things>('toy.remove', async (flow, _input, things) => {
  flow.pivot()
  await flow.step('remove', { do: async () => { things.log.push('removed'); things.there.clear() } })
})
const other = saga<null, Things>('toy.other', async (flow, _input, things) => { await flow.step('other', things.thing('other')) })
const preempt = (store: Store, runner: Runner, s: Saga, resourceId: string) => store.tx((tx) => runner.preempt(tx, s, { ...who, resourceId, input: null }))
const turns = async (n = 20) => { for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve)) }

/** Holds inside `hold`, between two other steps. */
function held(pivotFirst = false) {
  const inside = gate(), go = gate()
  const things = new Things()
  let aborted = false
  const build = saga<null, Things>('toy.held', async (flow, _input, t) => {
    await flow.step('a', t.thing('a'))
    if (pivotFirst) flow.pivot()
    await flow.step('hold', { do: async (ctx) => { ctx.signal.addEventListener('abort', () => { aborted = true }); inside.resolve(); await go.promise; return t.put('hold') }, undo: () => t.take('hold') })
    await flow.step('b', t.thing('b'))
  })
  return { inside, go, things, build, get aborted() { return aborted } }
}

test('a delete stops the running saga before its next step, undoes it, and then runs', async () => {
  const h = held()
  const runner = toyRunner(toy.store, [h.build, remove], h.things)
  const id = freshId()
  await begin(toy.store, runner, h.build, id, null)
  await h.inside.promise
  const first = await preempt(toy.store, runner, remove, id)
  assert.equal(first.began, 'queued')
  assert.equal(h.aborted, true)
  const second = await preempt(toy.store, runner, remove, id)
  assert.deepEqual(second, { id: first.id, began: 'already' })
  await assert.rejects(preempt(toy.store, runner, other, id).then(() => {}), /not given the saga/)
  h.go.resolve()
  const last = await runner.settled(id)
  assert.deepEqual([last?.id, last?.name, last?.state], [first.id, 'toy.remove', 'done'])
  assert.deepEqual(h.things.log, ['+a', '+hold', '-hold', '-a', 'removed'])
  const [built] = await runner.list({ resourceId: id })
  assert.deepEqual([built?.state, built?.fault?.type, built!.epoch < last!.epoch], ['failed', 'Preempted', true])
  // Free again: it may begin anew, at once.
  assert.equal((await preempt(toy.store, runner, remove, id)).began, 'now')
  await runner.idle()
})

test('a second start without pre-emption is a conflict; so is another saga in the queue', async () => {
  const h = held()
  const runner = toyRunner(toy.store, [h.build, remove, other], h.things)
  const id = freshId()
  await begin(toy.store, runner, h.build, id, null)
  await h.inside.promise
  await assert.rejects(begin(toy.store, runner, other, id, null), { kind: 'conflict' })
  await preempt(toy.store, runner, remove, id)
  await assert.rejects(preempt(toy.store, runner, other, id), { kind: 'conflict' })
  h.go.resolve()
  assert.equal((await runner.settled(id))?.name, 'toy.remove')
  await begin(toy.store, runner, other, id, null)
  assert.equal((await runner.settled(id))?.name, 'toy.other')
})

test('a delete of a saga past its pivot waits until that has ended forward', async () => {
  const h = held(true)
  const runner = toyRunner(toy.store, [h.build, remove], h.things)
  const id = freshId()
  await begin(toy.store, runner, h.build, id, null)
  await h.inside.promise
  assert.equal((await preempt(toy.store, runner, remove, id)).began, 'queued')
  await turns()
  assert.equal(h.aborted, false)
  h.go.resolve()
  assert.equal((await runner.settled(id))?.name, 'toy.remove')
  assert.deepEqual(h.things.log, ['+a', '+hold', '+b', 'removed'])
})

test('a second delete while one runs answers the same one', async () => {
  const inside = gate(), go = gate()
  const slow = saga<null>('toy.slow', async (flow) => { flow.pivot(); await flow.step('x', { do: async () => { inside.resolve(); await go.promise } }) })
  const runner = toyRunner(toy.store, [slow], {})
  const id = freshId()
  const first = await preempt(toy.store, runner, slow, id)
  await inside.promise
  assert.deepEqual([first.began, await preempt(toy.store, runner, slow, id)], ['now', { id: first.id, began: 'already' }])
  go.resolve()
  assert.equal((await runner.settled(id))?.state, 'done')
})

test('pre-emption by another process is noticed before the next step', async () => {
  const h = held()
  const runner = toyRunner(toy.store, [h.build, remove], h.things)
  const elsewhere = toyRunner(toy.store, [h.build, remove], h.things, { owner: 'elsewhere', passive: true })
  const id = freshId()
  await begin(toy.store, runner, h.build, id, null)
  await h.inside.promise
  await preempt(toy.store, elsewhere, remove, id)
  assert.equal(h.aborted, false)
  h.go.resolve()
  assert.equal((await runner.settled(id))?.name, 'toy.remove')
  assert.deepEqual(h.things.log, ['+a', '+hold', '-hold', '-a', 'removed'])

  // And by the next look at the leases, while a step is still in flight.
  const h2 = held()
  const second = toyRunner(toy.store, [h2.build, remove], h2.things)
  const id2 = freshId()
  await begin(toy.store, second, h2.build, id2, null)
  await h2.inside.promise
  await preempt(toy.store, elsewhere, remove, id2)
  await second.wake()
  assert.equal(h2.aborted, true)
  h2.go.resolve()
  assert.equal((await second.settled(id2))?.name, 'toy.remove')
})

test('pre-emption cuts the wait of a failing undo in an attempt short, and all is undone', async () => {
  const things = new Things()
  const waiting = gate()
  const build = saga<null, Things>('toy.waits', async (flow, _input, t) => {
    await flow.step('a', t.thing('a'))
    await flow.attempt('host', async (part) => { await part.step('claim', t.thing('claim')); throw conflict('host broke') })
    await flow.step('b', t.thing('b'))
  })
  let refuse = true
  things.failing.set('-claim', () => { if (refuse) throw new Error('busy') })
  const clock = { now: () => Date.now(), sleep: (ms: number, signal: AbortSignal) => new Promise<void>((resolve) => { if (ms > 1e8) waiting.resolve(); signal.addEventListener('abort', () => resolve()) }) }
  const runner = toyRunner(toy.store, [build, remove], things, { clock, undoBackoff: { firstMs: 1e9, maxMs: 1e9, attempts: 3 } })
  const id = freshId()
  await begin(toy.store, runner, build, id, null)
  await waiting.promise
  refuse = false
  await preempt(toy.store, runner, remove, id)
  assert.equal((await runner.settled(id))?.name, 'toy.remove')
  assert.deepEqual(things.log, ['+a', '+claim', '-claim', '-claim', '-a', 'removed'])
})

test('a delete wakes a stuck saga: it is undone, then deleted', async () => {
  const things = new Things()
  const build = saga<null, Things>('toy.sticky', async (flow, _input, t) => { await flow.step('a', t.thing('a')); throw conflict('bad') })
  let refuse = true
  things.failing.set('-a', () => { if (refuse) throw new Error('busy') })
  const runner = toyRunner(toy.store, [build, remove], things)
  const id = freshId()
  await begin(toy.store, runner, build, id, null)
  assert.equal((await runner.settled(id))?.state, 'stuck')
  refuse = false
  assert.equal((await preempt(toy.store, runner, remove, id)).began, 'queued')
  const last = await runner.settled(id)
  assert.deepEqual([last?.name, last?.state], ['toy.remove', 'done'])
  assert.equal((await runner.list({ resourceId: id }))[0]?.fault?.message, 'bad')
})

test('a saga pre-empted as it ends is either done or undone, and the delete runs once', async () => {
  for (let n = 0; n < 12; n++) {
    const things = new Things()
    const build = saga<null, Things>('toy.short', async (flow, _input, t) => { await flow.step('a', t.thing('a')) })
    const runner = toyRunner(toy.store, [build, remove], things)
    const id = freshId()
    await begin(toy.store, runner, build, id, null)
    await turns(n % 4)
    for (let i = 0; i < n * 7; i++) await null
    await preempt(toy.store, runner, remove, id)
    assert.equal((await runner.settled(id))?.name, 'toy.remove')
    assert.equal(things.log.filter((l) => l === 'removed').length, 1)
    assert.deepEqual(things.left, [])
  }
})

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { conflict } from '#base/errors.ts'
import type { Clock } from './clock.ts'
import { Crash, type Probe } from './probe.ts'
import { saga } from './saga.ts'
import { begin, freshId, Things, type Toy, toyRunner, toyStore } from './toy.ts'

let toy: Toy
before(async () => { toy = await toyStore() })
after(() => toy.close())

const gate = () => Promise.withResolvers<void>()
const build = saga<{ names: string[] }, Things>('toy.build', async (flow, { names }, things) => {
  for (const name of names) await flow.step(name, { do: async () => { await things.put(name); return flow.epoch }, undo: () => things.take(name) })
})
/** Time that stands still until told; background loops never come round by themselves. */
const heldClock = () => {
  let nowMs = Date.now()
  const clock: Clock & { pass(ms: number): void } = { now: () => nowMs, pass(ms) { nowMs += ms }, sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())) }
  return clock
}
const crashOn = (kind: string, step: string): Probe => async (point, work) => { if (point.kind === kind && point.step.includes(step)) throw new Crash(); return work() }

test('a new runner at the same place takes over at once, one elsewhere when the lease is over', async () => {
  const things = new Things()
  const clock = heldClock()
  const dead = toyRunner(toy.store, [build], things, { owner: 'h1', clock, probe: crashOn('do', 'b') })
  const id = freshId()
  await begin(toy.store, dead, build, id, { names: ['a', 'b', 'c'] })
  await dead.settled(id)
  assert.equal(dead.dead, true)

  const far = toyRunner(toy.store, [build], things, { owner: 'h2', clock })
  await far.open()
  assert.equal((await far.settled(id))?.owner, dead.owner)
  clock.pass(29_000)
  await far.wake()
  assert.equal((await far.settled(id))?.owner, dead.owner)
  clock.pass(2_000)
  await far.wake()
  const last = await far.settled(id)
  assert.deepEqual([last?.state, last?.epoch], ['done', 2])
  assert.deepEqual(things.log, ['+a', '+b', '+c'])

  const other = freshId()
  const dead2 = toyRunner(toy.store, [build], things, { owner: 'h1', clock, probe: crashOn('do', 'b') })
  await begin(toy.store, dead2, build, other, { names: ['a', 'b', 'c'] })
  await dead2.settled(other)
  const again = toyRunner(toy.store, [build], things, { owner: 'h1', clock })
  await again.open()
  assert.equal((await again.settled(other))?.state, 'done')

  const third = freshId()
  const dead3 = toyRunner(toy.store, [build], things, { owner: 'pid-1', clock, probe: crashOn('do', 'b') })
  await begin(toy.store, dead3, build, third, { names: ['a', 'b', 'c'] })
  await dead3.settled(third)
  const sole = toyRunner(toy.store, [build], things, { owner: 'pid-2', soleOwner: true, clock })
  await sole.open()
  assert.equal((await sole.settled(third))?.state, 'done')
  await Promise.all([far.stop(), again.stop(), sole.stop()])
})

test('a runner that lost its lease stops without undoing, and its writes are refused', async () => {
  const inside = gate(), go = gate()
  const things = new Things(), late = new Things()
  const slow = saga<null, Things>('toy.slow', async (flow, _input, t) => {
    await flow.step('a', t.thing('a'))
    await flow.step('b', { do: async () => { if (t === late) return t.put('b'); inside.resolve(); await go.promise; return t.put('b') }, undo: () => t.take('b') })
    await flow.step('c', t.thing('c'))
  })
  const old = toyRunner(toy.store, [slow], things, { owner: 'old' })
  const id = freshId()
  const sagaId = await begin(toy.store, old, slow, id, null)
  await inside.promise
  const fresh = toyRunner(toy.store, [slow], late, { owner: 'new', soleOwner: true })
  await fresh.open()
  await fresh.settled(id)
  const before = await fresh.show(sagaId)
  assert.equal(before.state, 'done')
  go.resolve()
  await old.settled(id)
  assert.deepEqual(await fresh.show(sagaId), before)
  assert.deepEqual(things.log, ['+a', '+b'])
  assert.deepEqual(late.log, ['+b', '+c'])
  await fresh.stop()
})

test('a step in flight is told when the lease was lost', async () => {
  const inside = gate(), told = gate()
  const things = new Things()
  let runs = 0
  const slow = saga<null, Things>('toy.slow2', async (flow) => {
    await flow.step('b', { do: (ctx) => runs++ > 0 ? Promise.resolve() : new Promise<void>((resolve) => { ctx.signal.addEventListener('abort', () => { told.resolve(); resolve() }); inside.resolve() }) })
  })
  const old = toyRunner(toy.store, [slow], things, { owner: 'old' })
  const id = freshId()
  await begin(toy.store, old, slow, id, null)
  await inside.promise
  const fresh = toyRunner(toy.store, [slow], things, { owner: 'new', soleOwner: true })
  await fresh.open()
  await old.wake()
  await told.promise
  assert.equal((await fresh.settled(id))?.state, 'done')
  await fresh.stop()
})

test('leases are renewed while a step is long', async () => {
  const inside = gate(), go = gate()
  const clock = heldClock()
  const slow = saga<null>('toy.slow3', async (flow) => { await flow.step('b', { do: async () => { inside.resolve(); await go.promise } }) })
  const one = toyRunner(toy.store, [slow], {}, { owner: 'one', clock })
  const two = toyRunner(toy.store, [slow], {}, { owner: 'two', clock })
  const id = freshId()
  await begin(toy.store, one, slow, id, null)
  await inside.promise
  for (let i = 0; i < 5; i++) { clock.pass(20_000); await one.wake(); await two.wake() }
  const mine = (await two.list({ resourceId: id }))[0]
  assert.deepEqual([mine?.owner, mine?.epoch], [one.owner, 1])
  go.resolve()
  assert.equal((await one.settled(id))?.state, 'done')
})

test('a runner that waited past its lease proves it before it tries again', async () => {
  const waiting = gate(), wake = gate()
  const clock = heldClock()
  let old = 0, young = 0
  const patient = saga<null, { call(): void }>('toy.patient', async (flow, _input, deps) => {
    flow.pivot()
    await flow.step('a', { do: async () => deps.call() })
  })
  const sleeping: Clock = { now: () => clock.now(), sleep: () => { waiting.resolve(); return wake.promise } }
  const paused = toyRunner(toy.store, [patient], { call() { old++; throw new Error('away') } }, { owner: 'paused', clock: sleeping })
  const other = toyRunner(toy.store, [patient], { call() { young++ } }, { owner: 'other', clock })
  const id = freshId()
  await begin(toy.store, paused, patient, id, null)
  await waiting.promise
  clock.pass(31_000)
  await other.wake()
  assert.equal((await other.settled(id))?.state, 'done')
  wake.resolve()
  await paused.settled(id)
  assert.deepEqual([old, young], [1, 1])
})

test('a killed abort goes on as an abort: no do runs, whatever the journal lacks', async () => {
  const things = new Things()
  let broken = true
  things.failing.set('+c', () => { if (broken) throw conflict('bad') })
  const dead = toyRunner(toy.store, [build], things, { owner: 'h1', probe: crashOn('undo', 'b') })
  const id = freshId()
  await begin(toy.store, dead, build, id, { names: ['a', 'b', 'c', 'd'] })
  await dead.settled(id)
  broken = false
  things.log.length = 0
  const next = toyRunner(toy.store, [build], things, { owner: 'h1' })
  await next.open()
  const last = await next.settled(id)
  assert.deepEqual([last?.state, last?.fault?.message], ['failed', 'bad'])
  assert.deepEqual(things.log, ['-b', '-a'])
  await next.stop()
})

test('a step killed inside its do is undone when the resumed saga fails later', async () => {
  const things = new Things()
  const dead = toyRunner(toy.store, [build], things, { owner: 'h1', probe: async (point, work) => { const v = await work(); if (point.kind === 'do' && point.step === 'b') throw new Crash(); return v } })
  const id = freshId()
  await begin(toy.store, dead, build, id, { names: ['a', 'b', 'c'] })
  await dead.settled(id)
  assert.deepEqual(things.left, ['a', 'b'])
  things.failing.set('+b', () => { throw conflict('now it fails') })
  const next = toyRunner(toy.store, [build], things, { owner: 'h1' })
  await next.open()
  assert.equal((await next.settled(id))?.state, 'failed')
  assert.deepEqual(things.left, [])
  await next.stop()
})

test('chains side by side replay in their old order', async () => {
  const order: string[] = []
  const things = new Things()
  const chains = saga<null, Things>('toy.chains', async (flow, _input, t) => {
    const chain = async (name: string, length: number, slow: number): Promise<void> => {
      for (let i = 0; i < length; i++) {
        await flow.step(`${name}${i}`, { do: async () => { for (let k = 0; k < slow; k++) await new Promise((r) => setImmediate(r)); return t.put(`${name}${i}`) }, undo: () => t.take(`${name}${i}`) })
        // Different numbers of turns between steps must not matter.
        for (let k = 0; k < slow; k++) await null
        order.push(`${name}${i}`)
      }
    }
    await Promise.all([chain('a', 4, 3), chain('b', 6, 1), chain('c', 3, 7)])
    await flow.step('end', t.thing('end'))
  })
  const dead = toyRunner(toy.store, [chains], things, { owner: 'h1', probe: crashOn('do', 'end') })
  const id = freshId()
  await begin(toy.store, dead, chains, id, null)
  await dead.settled(id)
  const first = order.splice(0)
  const next = toyRunner(toy.store, [chains], things, { owner: 'h1' })
  await next.open()
  assert.equal((await next.settled(id))?.state, 'done')
  assert.deepEqual(order, first)
  await next.stop()
})

test('a replay that asks for another step, in another place or not at all, is stuck', async () => {
  for (const names of [['a', 'x', 'c'], ['b', 'a', 'c'], ['a', 'b'], ['a'], []]) {
    let now = ['a', 'b', 'c']
    const fickle = saga<null, Things>('toy.fickle', async (flow, _input, t) => { for (const name of now) await flow.step(name, t.thing(name)) })
    const things = new Things()
    const dead = toyRunner(toy.store, [fickle], things, { owner: 'h1', probe: crashOn('do', 'c') })
    const id = freshId()
    const sagaId = await begin(toy.store, dead, fickle, id, null)
    await dead.settled(id)
    now = names
    const next = toyRunner(toy.store, [fickle], things, { owner: 'h1' })
    await next.open()
    const last = await next.settled(id)
    assert.deepEqual([names, last?.state, last?.trouble?.step], [names, 'stuck', '(replay)'])
    assert.deepEqual(things.log, ['+a', '+b'])
    // The right program is back: it goes on.
    now = ['a', 'b', 'c']
    await next.retryStuck(sagaId)
    assert.equal((await next.settled(id))?.state, 'done')
    await next.stop()
  }
})

test('a saga goes on when the database was away for a while', async () => {
  const things = new Things()
  let failures = 0
  const runner = toyRunner(toy.store, [build], things, { probe: (point, work) => { if (point.kind === 'journal' && point.step === 'started b' && failures++ < 3) throw new Error('connection lost'); return work() } })
  const id = freshId()
  await begin(toy.store, runner, build, id, { names: ['a', 'b', 'c'] })
  assert.equal((await runner.settled(id))?.state, 'done')
  assert.deepEqual([failures, things.left], [4, ['a', 'b', 'c']])
  // `a` was answered to the saga but not yet journaled: it was done again, idempotently.
  assert.deepEqual(things.log.filter((l) => l !== '+a'), ['+b', '+c'])
})

test('a passive runner only starts; another runs', async () => {
  const things = new Things()
  const api = toyRunner(toy.store, [build], {}, { owner: 'api', passive: true })
  const conductor = toyRunner(toy.store, [build], things, { owner: 'conductor' })
  const id = freshId()
  await begin(toy.store, api, build, id, { names: ['a'] })
  await api.idle()
  assert.deepEqual(things.log, [])
  await conductor.wake()
  assert.equal((await conductor.settled(id))?.state, 'done')
})

import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { conflict, notFound } from '#base/errors.ts'
import { type Context, plainContext } from '#base/context.ts'
import type { Clock } from './clock.ts'
import { Crash, type Probe } from './probe.ts'
import { saga, type StepContext, type UndoContext } from './saga.ts'
import { begin, freshId, Things, type Toy, toyRunner, toyStore, who } from './toy.ts'

let toy: Toy
before(async () => { toy = await toyStore() })
after(() => toy.close())

type Parts = { names: string[] }
const build = saga<Parts, Things>('toy.build', async (flow, { names }, things) => {
  for (const name of names) await flow.step(name, things.thing(name))
})
const gate = () => Promise.withResolvers<void>()
/** Kills the runner at the nth probe point that matches. */
const killAt = (kind: string, step: string | RegExp, when: 'before' | 'after' = 'before'): Probe => async (point, work) => {
  const hit = point.kind === kind && (typeof step === 'string' ? point.step === step : step.test(point.step))
  if (hit && when === 'before') throw new Crash()
  const value = await work()
  if (hit) throw new Crash()
  return value
}

test('a saga runs its steps in order and ends done, in few writes', async () => {
  const things = new Things()
  const runner = toyRunner(toy.store, [build], things)
  const id = freshId()
  const names = Array.from({ length: 10 }, (_, i) => `s${i}`)
  const sagaId = await begin(toy.store, runner, build, id, { names })
  const last = await runner.settled(id)
  assert.equal(last?.state, 'done')
  assert.deepEqual(things.log, names.map((n) => `+${n}`))
  assert.equal(last?.writes, 11)
  const shown = await runner.show(sagaId)
  assert.deepEqual(shown.steps?.map((s) => s.state), names.map(() => 'done'))
  assert.equal(shown.owner, null)
})

test('a failing step undoes what was started, the last first, and the fault is kept', async () => {
  const things = new Things()
  things.failing.set('+c', () => { throw conflict('no room', { adminDetail: 'host h3 is full' }) })
  const runner = toyRunner(toy.store, [build], things)
  const id = freshId()
  await begin(toy.store, runner, build, id, { names: ['a', 'b', 'c', 'd'] })
  const last = await runner.settled(id)
  assert.equal(last?.state, 'failed')
  assert.deepEqual(last?.fault, { kind: 'conflict', message: 'no room', adminDetail: 'host h3 is full' })
  assert.equal(last?.trouble?.step, 'c')
  assert.deepEqual(things.log, ['+a', '+b', '+c', '-c', '-b', '-a'])
  assert.deepEqual(things.left, [])
})

test('an unexpected error is logged with its cause and kept without its words', async () => {
  const logged: object[] = []
  const things = new Things()
  things.failing.set('+a', () => { throw new Error('secret path', { cause: new Error('ENOSPC') }) })
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void logged.push(fields) }
  const runner = toyRunner(toy.store, [build], things, { log })
  const id = freshId()
  await begin(toy.store, runner, build, id, { names: ['a'] })
  const last = await runner.settled(id)
  assert.deepEqual(last?.fault, { kind: 'unexpected', message: 'Unexpected error' })
  assert.match(JSON.stringify(logged), /secret path: ENOSPC/)
})

test('steps see who acts, the trace, the resource and the epoch; undos see the fault; spans are named', async () => {
  const spans: string[] = []
  let seen: StepContext | undefined, undone: UndoContext | undefined
  const s = saga<null, unknown>('toy.context', async (flow) => {
    await flow.step('look', { do: async (ctx) => { seen = ctx; return flow.epoch }, undo: async (ctx) => { undone = ctx } })
    throw conflict('enough')
  })
  const contextFor = (of: { actor: Context['actor'], requestId: string, traceId: string }): Context =>
    plainContext({ ...of, span: (name, work) => { spans.push(name); return work() } })
  const runner = toyRunner(toy.store, [s], {}, { service: 'compute', contextFor })
  const id = freshId()
  await begin(toy.store, runner, s, id, null)
  await runner.settled(id)
  assert.deepEqual(seen?.actor, { ...who.actor, service: 'compute' })
  assert.deepEqual([seen?.requestId, seen?.traceId, seen?.resourceId, seen?.epoch], ['req-1', 'trace-1', id, 1])
  assert.equal(undone?.fault.message, 'enough')
  assert.deepEqual(spans, ['saga.look', 'saga.undo look'])
})

test('parallel steps start in one write, and siblings of a failed one end before the undo begins', async () => {
  const things = new Things()
  const slow = gate(), failed = gate()
  let told = false
  const s = saga<null, Things>('toy.parallel', async (flow) => {
    await flow.step('first', things.thing('first'))
    await Promise.all([
      flow.step('slow', { do: async (ctx) => { ctx.signal.addEventListener('abort', () => { told = true }); await slow.promise; return things.put('slow') }, undo: () => things.take('slow') }),
      flow.step('bad', { do: async () => { queueMicrotask(failed.resolve); throw conflict('bad') }, undo: () => things.take('bad') }),
    ])
  })
  const runner = toyRunner(toy.store, [s], things)
  const id = freshId()
  await begin(toy.store, runner, s, id, null)
  await failed.promise
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(things.log, ['+first'])
  assert.equal(told, true)
  slow.resolve()
  const last = await runner.settled(id)
  assert.deepEqual(things.log, ['+first', '+slow', '-bad', '-slow', '-first'])
  // started first · started slow and bad with first's answer · aborting · three times undone · failed
  assert.equal(last?.writes, 7)
})

test('an undo is tried again; NotFound is success; too many failures are stuck until an operator retries', async () => {
  const things = new Things()
  let refusals = 2
  things.failing.set('+b', () => { throw conflict('bad') })
  things.failing.set('-b', () => { throw notFound('gone already') })
  things.failing.set('-a', () => { if (refusals-- > 0) throw new Error('busy') })
  const alarms: string[] = []
  const runner = toyRunner(toy.store, [build], things, { onStuck: (s) => void alarms.push(`${s.name} ${s.trouble?.step} ${s.trouble?.attempts}`) })
  const id = freshId()
  await begin(toy.store, runner, build, id, { names: ['a', 'b'] })
  assert.equal((await runner.settled(id))?.state, 'failed')

  refusals = 3
  things.log.length = 0
  const stuck = freshId()
  const sagaId = await begin(toy.store, runner, build, stuck, { names: ['a', 'b'] })
  assert.equal((await runner.settled(stuck))?.state, 'stuck')
  assert.deepEqual(alarms, ['toy.build a 3'])
  assert.deepEqual((await runner.list({ states: ['stuck'] })).map((s) => s.id), [sagaId])
  await assert.rejects(begin(toy.store, runner, build, stuck, { names: [] }), { kind: 'conflict' })
  await runner.retryStuck(sagaId)
  const last = await runner.settled(stuck)
  assert.equal(last?.state, 'failed')
  assert.equal(last?.fault?.message, 'bad')
  // The step undone before is not undone again, and nothing was done again.
  assert.deepEqual(things.log, ['+a', '+b', '-b', '-a', '-a', '-a', '-a'])
  await assert.rejects(runner.retryStuck(sagaId), { kind: 'conflict' })
})

test('a failed attempt is undone wholly, then the next is tried under a higher epoch', async () => {
  const things = new Things()
  const epochs: number[] = []
  const s = saga<{ hosts: string[] }, Things>('toy.place', async (flow, { hosts }) => {
    await flow.step('record', things.thing('record'))
    for (const host of hosts) {
      const tried = await flow.attempt(host, async (part) => {
        await part.step('claim', things.thing(`claim ${host}`))
        await part.step('spawn', { do: async (ctx) => { epochs.push(ctx.epoch); return things.put(`guest ${host}`) }, undo: () => things.take(`guest ${host}`) })
        return host
      })
      if (tried.ok) return void await flow.step('active', { do: () => things.put(`active ${tried.value}`) })
    }
    throw conflict('No valid host was found')
  })
  things.failing.set('+guest h1', () => { throw conflict('h1 broke') })
  const runner = toyRunner(toy.store, [s], things)
  const id = freshId()
  const sagaId = await begin(toy.store, runner, s, id, { hosts: ['h1', 'h2'] })
  assert.equal((await runner.settled(id))?.state, 'done')
  assert.deepEqual(things.left, ['active h2', 'claim h2', 'guest h2', 'record'])
  assert.deepEqual(epochs, [1, 2])
  assert.deepEqual((await runner.show(sagaId)).steps?.map((x) => `${x.path} ${x.state}`).sort(),
    ['active done', 'h1 closed', 'h1/claim undone', 'h1/spawn undone', 'h2/claim done', 'h2/spawn done', 'record done'])

  things.failing.set('+guest h2', () => { throw conflict('h2 broke') })
  things.there.clear()
  const none = freshId()
  await begin(toy.store, runner, s, none, { hosts: ['h1', 'h2'] })
  const last = await runner.settled(none)
  assert.deepEqual([last?.state, last?.fault?.message], ['failed', 'No valid host was found'])
  assert.deepEqual(things.left, [])
})

test('past the pivot a step is tried for ever and nothing is undone', async () => {
  const things = new Things()
  let refusals = 9
  const seen: unknown[] = []
  const s = saga<null, Things>('toy.remove', async (flow) => {
    flow.pivot()
    await flow.step('a', { do: () => things.take('a'), undo: () => things.put('never') })
    await flow.step('b', { do: async (ctx) => { if (refusals-- > 0) { if (refusals === 0) seen.push(await runner.list({ resourceId: ctx.resourceId })); throw new Error('not yet') } } })
  })
  const runner = toyRunner(toy.store, [s], things)
  const id = freshId()
  await begin(toy.store, runner, s, id, null)
  const last = await runner.settled(id)
  assert.equal(last?.state, 'done')
  assert.equal(last?.trouble, null)
  assert.equal((seen[0] as { trouble: { attempts: number } }[])[0]?.trouble.attempts, 8)
  assert.deepEqual(things.log, ['-a'])
})

test('what breaks between steps past the pivot is stuck, not undone', async () => {
  const things = new Things()
  const s = saga<null, Things>('toy.broken', async (flow) => {
    await flow.step('a', things.thing('a'))
    flow.pivot()
    await flow.step('b', { do: async () => {} })
    throw new Error('bug')
  })
  const runner = toyRunner(toy.store, [s], things)
  const id = freshId()
  await begin(toy.store, runner, s, id, null)
  const last = await runner.settled(id)
  assert.deepEqual([last?.state, last?.pivoted, last?.trouble?.message], ['stuck', true, 'bug'])
  assert.deepEqual(things.left, ['a'])
})

test('misuse fails the saga: two steps of one name, a slash, a pivot beside a step', async () => {
  const things = new Things()
  const uses = {
    twice: saga<null>('toy.twice', async (flow) => { await flow.step('a', things.thing('a')); await flow.step('a', things.thing('a')) }),
    slash: saga<null>('toy.slash', async (flow) => { await flow.step('a', things.thing('a')); await flow.step('b/c', things.thing('b')) }),
    pivot: saga<null>('toy.pivot', async (flow) => { const a = flow.step('a', things.thing('a')); flow.pivot(); await a }),
  }
  const runner = toyRunner(toy.store, Object.values(uses), things)
  for (const s of Object.values(uses)) {
    const id = freshId()
    await begin(toy.store, runner, s, id, null)
    const last = await runner.settled(id)
    assert.deepEqual([s.name, last?.state, last?.fault?.kind], [s.name, 'failed', 'unexpected'])
    assert.deepEqual(things.left, [])
  }
})

test('answers of steps are JSON, in a run as in a replay', async () => {
  const got: unknown[] = []
  const s = saga<null>('toy.json', async (flow) => {
    const when = await flow.step('date', { do: async () => ({ at: new Date(0), none: undefined }) })
    const nothing = await flow.step('nothing', { do: async () => {} })
    got.push(when, nothing)
    await flow.step('last', { do: async () => {} })
  })
  const id = freshId()
  const first = toyRunner(toy.store, [s], {}, { probe: killAt('do', 'last') })
  await begin(toy.store, first, s, id, null)
  await first.settled(id)
  const second = toyRunner(toy.store, [s], {})
  await second.open()
  assert.equal((await second.settled(id))?.state, 'done')
  assert.deepEqual(got, [{ at: '1970-01-01T00:00:00.000Z' }, undefined, { at: '1970-01-01T00:00:00.000Z' }, undefined])
  await second.stop()
})

test('secrets are sealed in the journal, erased at the end, and unreadable with another key', async () => {
  const key = new Uint8Array(32).fill(7)
  const read = async (id: string) => (await toy.store.read((tx) => tx.db.selectFrom('kitSagas').select(['sealed', 'input']).where('resourceId', '=', id).execute()))[0]!
  const held = gate(), inside = gate()
  let got = ''
  const s = saga<null, unknown, { password: string }>('toy.secret', async (flow) => {
    await flow.step('use', { do: async () => { got = flow.sealed.password; inside.resolve(); await held.promise; throw conflict('fail') } })
  })
  const runner = toyRunner(toy.store, [s], {}, { sealKey: key })
  const id = freshId()
  await begin(toy.store, runner, s, id, null, { password: 'hunter2hunter2' })
  await inside.promise
  const row = await read(id)
  assert.ok(row.sealed && !Buffer.from(row.sealed, 'base64').includes('hunter2') && !row.sealed.includes('hunter2'))
  held.resolve()
  await runner.settled(id)
  assert.deepEqual([got, (await read(id)).sealed], ['hunter2hunter2', null])

  const other = freshId()
  const dying = toyRunner(toy.store, [s], {}, { sealKey: key, probe: killAt('do', 'use') })
  await begin(toy.store, dying, s, other, null, { password: 'x' })
  await dying.settled(other)
  const wrong = toyRunner(toy.store, [s], {}, { sealKey: new Uint8Array(32) })
  await wrong.open()
  assert.equal((await wrong.settled(other))?.state, 'stuck')
  await wrong.stop()
})

test('prune removes ended sagas of resources that are gone', async () => {
  const runner = toyRunner(toy.store, [build], new Things())
  const gone = freshId(), stays = freshId()
  for (const id of [gone, stays]) { await begin(toy.store, runner, build, id, { names: ['a'] }); await runner.settled(id) }
  const future = new Date(Date.now() + 60_000).toISOString()
  assert.equal(await runner.prune('2000-01-01T00:00:00.000Z', async () => true), 0)
  assert.equal(await runner.prune(future, async (id) => id === gone), 1)
  const steps = await toy.store.read((tx) => tx.db.selectFrom('kitSagaSteps').select('sagaId').execute())
  const sagas = await toy.store.read((tx) => tx.db.selectFrom('kitSagas').select(['id', 'resourceId']).execute())
  assert.ok(!sagas.some((s) => s.resourceId === gone) && sagas.some((s) => s.resourceId === stays))
  assert.ok(steps.every((x) => sagas.some((s) => s.id === x.sagaId)))
})

test('a rolled-back start leaves nothing and runs nothing', async () => {
  const things = new Things()
  const runner = toyRunner(toy.store, [build], things)
  const id = freshId()
  await assert.rejects(toy.store.tx(async (tx) => {
    await runner.start(tx, build, { ...who, resourceId: id, input: { names: ['a'] } })
    throw new Error('no')
  }), /no/)
  assert.equal(await runner.settled(id), undefined)
  assert.deepEqual(things.log, [])
})

test('stop lets a step in flight finish and keeps its answer; the next runner goes on at once', async () => {
  const things = new Things()
  const inside = gate()
  const s = saga<null, Things>('toy.long', async (flow, _input, t) => {
    await flow.step('long', { do: (ctx) => new Promise<string>((resolve) => { ctx.signal.addEventListener('abort', () => resolve(t.put('long'))); inside.resolve() }), undo: () => t.take('long') })
    await flow.step('next', t.thing('next'))
  })
  const first = toyRunner(toy.store, [s], things, { owner: 'one' })
  const id = freshId()
  await begin(toy.store, first, s, id, null)
  await inside.promise
  await first.stop()
  assert.deepEqual(things.log, ['+long'])
  const second = toyRunner(toy.store, [s], things, { owner: 'two' })
  await second.open()
  assert.equal((await second.settled(id))?.state, 'done')
  assert.deepEqual(things.log, ['+long', '+next'])
  await second.stop()
})

test('stop ends a wait past the pivot at once', async () => {
  const waiting = gate()
  const s = saga<null>('toy.patient', async (flow) => {
    flow.pivot()
    await flow.step('a', { do: async () => { throw new Error('agent away') } })
  })
  const clock: Clock = { now: () => Date.now(), sleep: (ms, signal) => new Promise((resolve) => { if (ms > 1e8) waiting.resolve(); signal.addEventListener('abort', () => resolve()) }) }
  const runner = toyRunner(toy.store, [s], {}, { clock, retryBackoff: { firstMs: 1e9, maxMs: 1e9 } })
  const id = freshId()
  await begin(toy.store, runner, s, id, null)
  await waiting.promise
  await runner.stop(60_000)
  const last = await runner.settled(id)
  assert.deepEqual([last?.state, last?.owner], ['running', null])
})

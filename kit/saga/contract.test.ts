import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { conflict } from '#base/errors.ts'
import { type ContractOptions, type Outcome, sagaContract, type SagaWorld } from './contract.ts'
import { type Saga, saga } from './saga.ts'
import { begin, freshId, Things, type Toy, toyRunner, toyStore, who } from './toy.ts'

let toy: Toy
before(async () => { toy = await toyStore() })
after(() => toy.close())

interface ToyWorld extends SagaWorld { things: Things }
/** A world for a saga: what must be there when it is done; nothing when it failed; with `remove`, nothing and "gone" when that pre-empted it. */
const worldOf = <D extends Things>(s: Saga<any, D>, done: string[], make: () => D, remove?: Saga, failed: string[] = []): ContractOptions<ToyWorld> => ({
  fresh() {
    const things = make()
    return {
      things,
      runner: (hooks) => toyRunner(toy.store, remove ? [s, remove] : [s], things, hooks),
      async start(runner) { const id = freshId(); await begin(toy.store, runner, s, id, null); return id },
      check(outcome: Outcome) { assert.deepEqual(things.left, outcome === 'done' ? [...done].sort() : outcome === 'failed' ? failed : ['gone']) },
      ...(remove && { preempt: (runner, id) => toy.store.tx((tx) => runner.preempt(tx, remove, { ...who, resourceId: id, input: null })) }),
    }
  },
})
const plainThings = (): Things => new Things()

const remove = saga<null, Things>('toy.remove', async (flow, _input, things) => {
  flow.pivot()
  await flow.step('remove', { do: async () => { things.there.clear() } })
  await flow.step('tell', { do: () => things.put('gone') })
})
const build = saga<null, Things>('toy.build', async (flow, _input, things) => {
  await flow.step('claim', things.thing('claim'))
  await Promise.all(['p1', 'p2'].map((p) => flow.step(p, things.thing(p))))
  await flow.step('look', { do: async () => 'seen' })
  await flow.step('spawn', things.thing('spawn'))
})

test('a sound saga passes, with a pre-empting delete', async () => {
  const report = await sagaContract(worldOf(build, ['claim', 'p1', 'p2', 'spawn'], plainThings, remove))
  assert.deepEqual(report.steps, ['claim', 'p1', 'p2', 'look', 'spawn'])
  assert.ok(report.runs > 150, String(report.runs))
})

test('a saga that goes only forward passes', async () => {
  await sagaContract(worldOf(remove, ['gone'], plainThings))
})

test('a saga with attempts and a pivot passes', async () => {
  const place = saga<null, Things>('toy.place', async (flow, _input, things) => {
    await flow.step('own', things.thing('own'))
    let at: string | undefined
    for (const host of ['h1', 'h2']) {
      const tried = await flow.attempt(host, async (part) => {
        await part.step('claim', things.thing(`claim ${host}`))
        await part.step('spawn', things.thing(`spawn ${host}`))
        return host
      })
      if (tried.ok) { at = tried.value; break }
    }
    if (at === undefined) throw conflict('no host')
    flow.pivot()
    await flow.step('active', { do: () => things.put('active') })
  })
  const options = worldOf(place, [], plainThings)
  const both = [['active', 'claim h1', 'own', 'spawn h1'], ['active', 'claim h2', 'own', 'spawn h2']]
  await sagaContract<ToyWorld>({
    async fresh() {
      const world = await options.fresh()
      return { ...world, check: (outcome) => outcome === 'done' ? assert.ok(both.some((b) => b.join() === world.things.left.join()), `left: ${world.things.left.join()}`) : assert.deepEqual(world.things.left, []) }
    },
    faults: { 'every host': (world) => { for (const h of ['h1', 'h2']) world.things.failing.set(`+spawn ${h}`, () => { throw conflict('half') }) } },
    maxPairs: 40,
  })
})

test('a missing undo is caught', async () => {
  const leaky = saga<null, Things>('toy.leaky', async (flow, _input, things) => {
    await flow.step('a', { do: () => things.put('a') })
    await flow.step('b', things.thing('b'))
  })
  await assert.rejects(sagaContract(worldOf(leaky, ['a', 'b'], plainThings)), /a fails after its effect: after it had failed/)
})

test('a do that is not idempotent is caught', async () => {
  const counting = saga<null, Things>('toy.counting', async (flow, _input, things) => {
    const added: string[] = []
    await flow.step('a', { do: async () => { added.push(await things.put(`a${things.log.length}`)) }, undo: async () => { for (const x of things.left) await things.take(x) } })
  })
  await assert.rejects(sagaContract(worldOf(counting, ['a0'], plainThings)), /after it had done, [^]*'a1'/)
})

test('an undo that does not stand being repeated is caught', async () => {
  class Strict extends Things {
    override async take(name: string): Promise<void> { if (!this.there.has(name)) throw new Error(`${name} is not there`); await super.take(name) }
  }
  await assert.rejects(sagaContract(worldOf<Strict>(build as Saga<any, Strict>, ['claim', 'p1', 'p2', 'spawn'], () => new Strict())), /stuck at/)
})

test('a saga that reads the clock between steps is caught: its replay diverges', async () => {
  let clock = 0
  const clocked = saga<null, Things>('toy.clocked', async (flow, _input, things) => {
    await flow.step('a', things.thing('a'))
    if (clock++ % 2 === 0) await flow.step('even', { do: async () => {}, undo: async () => {} })
    else await flow.step('odd', { do: async () => {}, undo: async () => {} })
    await flow.step('b', things.thing('b'))
  })
  await assert.rejects(sagaContract(worldOf(clocked, ['a', 'b'], plainThings)), /killed .*stuck at \(replay\): the replay asks for "(odd|even)" where "(odd|even)" was asked for/)
})

test('an id minted between steps is caught: what was made under it is left over', async () => {
  let minted = 0
  const minting = saga<null, Things>('toy.minting', async (flow, _input, things) => {
    const id = `x${minted++}`
    await flow.step('a', things.thing(id))
    await flow.step('b', things.thing('b'))
  })
  const options = worldOf(minting, [], plainThings)
  await assert.rejects(sagaContract<ToyWorld>({ async fresh() { const w = await options.fresh(); return { ...w, check: (o) => assert.equal(w.things.left.length, o === 'done' ? 2 : 0) } } }), /killed .* after it had done/)
})

test('work outside steps is caught', async () => {
  const outside = saga<null, Things>('toy.outside', async (flow, _input, things) => {
    await flow.step('a', things.thing('a'))
    await things.put('note')
    await flow.step('b', things.thing('b'))
  })
  await assert.rejects(sagaContract(worldOf(outside, ['a', 'b', 'note'], plainThings)), /fails .*after it had failed, [^]*'note'/)
})

test('late and stale commands are caught unless the agent refuses old epochs', async () => {
  class Agent extends Things {
    guard = false
    seen = 0
    removed = 0
    async ensure(name: string, epoch: number): Promise<void> {
      if (this.guard && (epoch < this.seen || epoch <= this.removed)) throw conflict('an old command')
      this.seen = epoch
      await this.put(name)
    }
    async remove(name: string, epoch: number): Promise<void> { this.removed = Math.max(this.removed, epoch); await this.take(name) }
  }
  const spawn = saga<null, Agent>('toy.spawn', async (flow, _input, agent) => {
    await flow.step('own', agent.thing('own'))
    await flow.step('spawn', { do: (ctx) => agent.ensure('guest', ctx.epoch), undo: (ctx) => agent.remove('guest', ctx.epoch) })
    // A stale runner that passes here would start the guest anew in a place that was cleaned.
    await flow.step('move', { do: async (ctx) => { await agent.remove('guest', ctx.epoch); await agent.put('elsewhere') }, undo: () => agent.take('elsewhere') })
  })
  const make = (guard: boolean) => () => Object.assign(new Agent(), { guard })
  const late = (step: string): boolean => step === 'spawn'
  await assert.rejects(sagaContract({ ...worldOf(spawn, ['elsewhere', 'own'], make(false)), late }), /landed late/)
  await assert.rejects(sagaContract({ ...worldOf(spawn, ['elsewhere', 'own'], make(false)), fenced: true }), /stale runner/)
  await sagaContract({ ...worldOf(spawn, ['elsewhere', 'own'], make(true)), late, fenced: true, maxPairs: 10 })
})

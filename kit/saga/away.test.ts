// A database that goes away says nothing about the steps that met it.
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { conflict, type Fault, faultFrom } from '#base/errors.ts'
import { databaseAway } from '#kit/store/store.ts'
import { saga } from './saga.ts'
import { begin, freshId, Things, type Toy, toyRunner, toyStore } from './toy.ts'

let toy: Toy
before(async () => { toy = await toyStore() })
after(() => toy.close())

const build = saga<null, Things>('toy.away', async (flow, _input, things) => {
  await flow.step('a', things.thing('a'))
  await flow.step('b', things.thing('b'))
})
/** Fails `times` times as if the database were away; as it looks when it comes from the other side of the bus. */
const away = (times: number, then?: Fault) => (): void => {
  if (times-- > 0) throw faultFrom(databaseAway('The database cannot be reached.', new Error('ECONNREFUSED')).toJSON())
  if (then) throw then
}
const run = async (things: Things) => {
  const runner = toyRunner(toy.store, [build], things), id = freshId()
  await begin(toy.store, runner, build, id, null)
  return runner.settled(id)
}

test('a step before the pivot waits for it and is done once it is back', async () => {
  const things = new Things()
  things.failing.set('+b', away(5))
  assert.equal((await run(things))?.state, 'done')
  assert.deepEqual(things.log, ['+a', ...Array<string>(6).fill('+b')])
})

test('what fails after that fails as ever', async () => {
  const things = new Things()
  things.failing.set('+b', away(2, conflict('no room')))
  const last = await run(things)
  assert.deepEqual([last?.state, last?.fault?.message, things.left], ['failed', 'no room', []])
})

test('an undo waits for it longer than its patience and does not get stuck', async () => {
  const things = new Things()
  things.failing.set('+b', () => { throw conflict('no room') })
  things.failing.set('-a', away(10))
  const last = await run(things)
  assert.deepEqual([last?.state, things.left], ['failed', []])
})

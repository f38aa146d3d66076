import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bury, busMigrations, countKept } from '#kit/bus/store.ts'
import { saga } from '#kit/saga/saga.ts'
import { begin, freshId, Things, toyRunner, toyStore, type Toy } from '#kit/saga/toy.ts'
import { migrate } from '#kit/store/migrations.ts'
import { repair } from './repair.ts'

let toy: Toy
before(async () => {
  toy = await toyStore()
  await migrate(toy.store, [{ area: 'bus', migrations: busMigrations }])
})
after(() => toy.close())

test('what is stuck goes on, what was given up on is sent again; asked once more there is nothing to do', async () => {
  const { store } = toy, things = new Things()
  const build = saga<null, Things>('toy.build', async (flow, _input, t) => {
    await flow.step('a', t.thing('a'))
    await flow.step('b', { do: () => { throw new Error('no room') } })
  })
  const runner = toyRunner(store, [build], things), resource = freshId()
  things.failing.set('-a', () => { throw new Error('the disk is away') })
  const id = await begin(store, runner, build, resource, null)
  assert.equal((await runner.settled(resource))?.state, 'stuck')
  await store.tx((tx) => bury(tx, { address: 'compute.host-1', attempts: 8, error: 'nobody there', envelope: { id: 'letter' } as never }))

  // The cause is still there: it gets stuck again, and may be repaired again.
  assert.deepEqual((await repair({ runner, store })).sagas, [{ id, name: 'toy.build', resourceId: resource }])
  assert.equal((await runner.settled(resource))?.state, 'stuck')
  assert.deepEqual(await store.read((tx) => countKept(tx)), { outbox: 1, deadLetters: 0 })

  things.failing.delete('-a')
  assert.deepEqual(await repair({ runner, store }), { sagas: [{ id, name: 'toy.build', resourceId: resource }], messages: [], refused: [] })
  assert.equal((await runner.settled(resource))?.state, 'failed')
  assert.deepEqual(things.left, [])
  assert.deepEqual(await repair({ runner, store }), { sagas: [], messages: [], refused: [] })
  await runner.stop()
})

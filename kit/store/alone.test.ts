import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { alone, lockMigrations } from './alone.ts'
import { migrate } from './migrations.ts'
import { openStore, type Store } from './store.ts'

let store: Store
const dir = mkdtempSync(join(tmpdir(), 'alone-'))
before(async () => {
  store = await openStore({ engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  await migrate(store, [{ area: 'kit.locks', migrations: lockMigrations }])
})
after(async () => { await store.close(); rmSync(dir, { recursive: true }) })

test('work of one name is done by one at a time, whether it succeeds or fails', async () => {
  let inside = 0, most = 0
  const work = async (): Promise<number> => {
    most = Math.max(most, ++inside)
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    inside--
    if (most > 1) throw new Error('two at once')
    return 1
  }
  const results = await Promise.allSettled(['a', 'b', 'c'].map((owner, i) => alone(store, 'work', { owner }, async () => { await work(); if (i === 0) throw new Error('mine') })))
  assert.deepEqual([most, results.map((r) => r.status)], [1, ['rejected', 'fulfilled', 'fulfilled']])
})

test('who died at it is waited for until the lease ends, and not at all by its own next life', async () => {
  const never = Promise.withResolvers<void>(), entered = Promise.withResolvers<void>()
  // As a dead process leaves it: no work, no sign of life.
  const leave = (owner: string): Promise<unknown> => store.tx((tx) => tx.db.updateTable('kitLocks').set({ owner, until: Date.now() + 3_600_000 }).where('name', '=', 'work').execute())
  await leave('dead')
  assert.equal(await alone(store, 'work', { owner: 'dead' }, async () => 'again'), 'again')
  await leave('dead')
  const waiting = alone(store, 'work', { owner: 'other' }, async () => { entered.resolve(); await never.promise })
  await store.tx((tx) => tx.db.updateTable('kitLocks').set({ until: Date.now() - 1 }).where('name', '=', 'work').execute())
  await entered.promise
  never.resolve()
  await waiting
})

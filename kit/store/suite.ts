// What every engine promises behind the one door, as tests.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { sql } from 'kysely'
import { isFault } from '#base/errors.ts'
import { textMatches, type TextMatch } from './match.ts'
import { migrate, type Migration } from './migrations.ts'
import { change, count, counts, insert, insertIfAbsent, isDuplicate, put, storeMigrations } from './rows.ts'
import { openStore, type Store, type StoreConfig } from './store.ts'

const tables: Migration[] = [{
  id: '0001', changes: [{
    createTable: 'suiteServers', as: {
      columns: { id: 'id', projectId: 'id', displayName: 'text', sizeGib: 'int', load: 'real?', isLocked: 'bool', userData: 'long?', createdAt: 'at', host1: 'text?' },
      primaryKey: ['id'], unique: [['projectId', 'displayName']], indexes: [['createdAt', 'id']],
    },
  }],
}]
const areas = [{ area: 'kit/store', migrations: storeMigrations }, { area: 'suite', migrations: tables }]
const row = (id: string, over: Record<string, unknown> = {}) => ({ id, projectId: 'p1', displayName: `name of ${id}`, sizeGib: 1, isLocked: 0, createdAt: '2026-01-31T12:00:00.000Z', ...over })
const names = (rows: { displayName: string }[]): string[] => rows.map((r) => r.displayName)

/** A meeting point: all come, then all go on. */
function meeting(size: number): () => Promise<void> {
  const all = Promise.withResolvers<void>()
  let come = 0
  return () => { if (++come >= size) all.resolve(); return all.promise }
}

/** `fresh` makes an empty database and says where it is. */
export function storeSuite(name: string, fresh: () => Promise<StoreConfig>): void {
  describe(`store: ${name}`, () => {
    const opened: Store[] = []
    afterEach(async () => { await Promise.all(opened.splice(0).map((store) => store.close())) })
    const openAt = async (config: StoreConfig): Promise<Store> => {
      const store = await openStore(config)
      opened.push(store)
      return store
    }
    async function rig(): Promise<{ store: Store, config: StoreConfig }> {
      const config = await fresh()
      const store = await openAt(config)
      await migrate(store, areas)
      return { store, config }
    }
    const all = (store: Store): Promise<any[]> => store.read((tx) => tx.db.selectFrom('suiteServers').selectAll().orderBy('id').execute())

    test('rows go in and come out as they were, with their names', async () => {
      const { store } = await rig()
      const full = row('s1', { sizeGib: 9_007_199_254_740_991, load: 0.1, isLocked: 1, userData: 'x', host1: 'h' })
      await store.tx((tx) => insert(tx, 'suiteServers', [full]))
      await store.tx((tx) => insert(tx, 'suiteServers', row('s2', { load: null, sizeGib: -5 })))
      assert.deepEqual((await all(store)).map((r) => ({ ...r })), [full, { ...row('s2'), sizeGib: -5, load: null, userData: null, host1: null }])
      const [sum] = await store.read((tx) => tx.db.selectFrom('suiteServers as s').select((e) => [e.fn.countAll().as('howMany'), e.fn.sum('s.sizeGib').as('totalGib'), e.fn.max('s.createdAt').as('lastAt')]).execute())
      assert.deepEqual({ ...sum }, { howMany: 2, totalGib: 9_007_199_254_740_986, lastAt: full.createdAt })
      const removed = await store.tx((tx) => tx.db.deleteFrom('suiteServers').where('id', 'in', ['s1', 'nobody']).executeTakeFirst())
      assert.equal(Number(removed.numDeletedRows), 1)
    })

    test('text is binary: case, spaces at the end, ß, composed letters and emoji differ, and sort by code point', async () => {
      const { store } = await rig()
      const words = ['a', 'A', 'a ', 'a  ', ' a', 'ss', 'ß', 'é', 'e\u0301', '😀', '😁', 'Z', 'z', '_', '\'"`\\%', '\uffee']
      await store.tx((tx) => insert(tx, 'suiteServers', words.map((displayName, i) => row(`s${i}`, { displayName }))))
      const sorted = await store.read((tx) => tx.db.selectFrom('suiteServers').selectAll().orderBy('displayName').execute())
      assert.deepEqual(names(sorted as never), words.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))))
      for (const word of words) {
        const found = await store.read((tx) => tx.db.selectFrom('suiteServers').selectAll().where('displayName', '=', word).execute())
        assert.deepEqual(names(found as never), [word])
        const among = await store.read((tx) => tx.db.selectFrom('suiteServers').selectAll().where('displayName', 'in', [word, 'none']).execute())
        assert.deepEqual(names(among as never), [word])
      }
      assert.equal((await store.read((tx) => tx.db.selectFrom('suiteServers').select('displayName').distinct().execute())).length, words.length)
    })

    test('a taken key or name is a Conflict, and the transaction can go on', async () => {
      const { store } = await rig()
      await store.tx((tx) => insert(tx, 'suiteServers', row('s1')))
      await assert.rejects(store.tx((tx) => insert(tx, 'suiteServers', row('s1', { displayName: 'other' }))), (e: unknown) => isFault(e, 'conflict'))
      await assert.rejects(store.tx((tx) => insert(tx, 'suiteServers', row('s9', { displayName: 'name of s1' }), () => new Error('mine'))), /^Error: mine$/)
      await store.tx(async (tx) => {
        await assert.rejects(insert(tx, 'suiteServers', row('s1')), (e: unknown) => isFault(e, 'conflict'))
        await assert.rejects(insert(tx, 'suiteServers', [row('s2'), row('s1')]), (e: unknown) => isFault(e, 'conflict'))
        await insert(tx, 'suiteServers', row('s3'))
      })
      assert.deepEqual((await all(store)).map((r) => r.id), ['s1', 's3'])
      await assert.rejects(store.tx((tx) => tx.db.insertInto('suiteServers').values(row('s1')).execute()), (e: unknown) => isDuplicate(e))
      await assert.rejects(store.tx((tx) => tx.db.insertInto('suiteServers').values(row('s7', { projectId: null })).execute()), (e: unknown) => !isDuplicate(e))
      await assert.rejects(store.tx((tx) => insertIfAbsent(tx, 'suiteServers', row('s7', { projectId: null }))), (e: unknown) => !isDuplicate(e))
    })

    test('a thousand rows go in at once', async () => {
      const { store } = await rig()
      const before = store.queries
      await store.tx((tx) => insert(tx, 'suiteServers', Array.from({ length: 1_000 }, (_, i) => row(`s${i}`))))
      assert.ok(store.queries - before < 50)
      assert.equal((await all(store)).length, 1_000)
    })

    test('insertIfAbsent, put and change', async () => {
      const { store } = await rig()
      assert.deepEqual(await store.tx(async (tx) => [await insertIfAbsent(tx, 'suiteServers', row('s1')), await insertIfAbsent(tx, 'suiteServers', row('s1', { sizeGib: 7 }))]), [true, false])
      const { id: _id, ...rest } = row('s1', { sizeGib: 8 })
      await store.tx(async (tx) => { await put(tx, 'suiteServers', { id: 's1' }, rest); await put(tx, 'suiteServers', { id: 's1' }, rest); await put(tx, 'suiteServers', { id: 's2' }, { ...rest, displayName: 'b' }) })
      assert.deepEqual((await all(store)).map((r) => [r.id, r.sizeGib]), [['s1', 8], ['s2', 8]])
      await assert.rejects(store.tx((tx) => put(tx, 'suiteServers', { id: 's3' }, rest)), (e: unknown) => isFault(e, 'conflict'))
      const changed = (from: Record<string, unknown>, set: Record<string, unknown>): Promise<number> => store.tx((tx) => change(tx, 'suiteServers', from, set))
      assert.equal(await changed({ id: 's1', sizeGib: 8 }, { sizeGib: 8 }), 1, 'a row that matches counts, though nothing changes')
      assert.equal(await changed({ id: 's1', sizeGib: 1 }, { sizeGib: 2 }), 0)
      assert.equal(await changed({ host1: null, load: undefined, id: ['s1', 's2'] }, { host1: 'h' }), 2)
      assert.equal(await changed({ host1: null }, { host1: 'i' }), 0)
    })

    test('50 at once against a limit of 10: exactly 10', async () => {
      const { store } = await rig()
      const granted = await Promise.all(Array.from({ length: 50 }, (_, i) => store.tx(async (tx) => {
        const ok = await count(tx, 'quota/instances', 1, 10)
        if (ok) await insert(tx, 'suiteServers', row(`s${i}`))
        return ok
      }, { durable: true })))
      assert.equal(granted.filter(Boolean).length, 10)
      assert.equal((await all(store)).length, 10)
      assert.deepEqual([...await store.read((tx) => counts(tx, 'quota/'))], [['instances', 10]])
      await store.tx((tx) => count(tx, 'quota/instances', -3))
      assert.deepEqual(await store.tx(async (tx) => [await count(tx, 'quota/instances', 4, 10), await count(tx, 'quota/instances', 3, 10), await count(tx, 'quota/😀', 2)]), [false, true, true])
      await store.tx((tx) => count(tx, 'quota/instances', -300))
      assert.deepEqual([...await store.read((tx) => counts(tx, 'quota/'))].toSorted(), [['instances', 0], ['😀', 2]])
    })

    test('50 at once add to a new sum, and none is lost', async () => {
      const { store } = await rig()
      await Promise.all(Array.from({ length: 50 }, () => store.tx((tx) => count(tx, 'sum', 2))))
      assert.deepEqual([...await store.read((tx) => counts(tx, 'sum'))], [['', 100]])
    })

    test('50 at once want the same address: one has it', async () => {
      const { store } = await rig()
      const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => store.tx((tx) => insert(tx, 'suiteServers', row(`s${i}`, { displayName: '10.0.0.5' })))))
      assert.equal(ends.filter((e) => e.status === 'fulfilled').length, 1)
      assert.ok(ends.every((e) => e.status === 'fulfilled' || isFault(e.reason, 'conflict')))
    })

    test('a failed transaction leaves nothing, and others see a transaction only when it is committed', async () => {
      const { store } = await rig()
      await assert.rejects(store.tx(async (tx) => { await insert(tx, 'suiteServers', row('s1')); await count(tx, 'sum', 1); throw new Error('no') }), /no/)
      assert.deepEqual([await all(store), (await store.read((tx) => counts(tx, 'sum'))).size], [[], 0])
      const written = Promise.withResolvers<void>(), go = Promise.withResolvers<void>()
      const writing = store.tx(async (tx) => {
        await insert(tx, 'suiteServers', row('s1'))
        assert.equal((await tx.db.selectFrom('suiteServers').selectAll().execute()).length, 1, 'it sees its own')
        written.resolve()
        await go.promise
      })
      await written.promise
      assert.deepEqual(await all(store), [])
      go.resolve()
      await writing
      assert.equal((await all(store)).length, 1)
    })

    test('wakes run once, after the commit, in order; never for what failed', async () => {
      const { store } = await rig()
      const said: string[] = []
      await store.tx(async (tx) => {
        tx.afterCommit(() => { said.push('first') })
        await insert(tx, 'suiteServers', row('s1'))
        tx.afterCommit(() => { said.push('second') })
        said.push('work')
      })
      await assert.rejects(store.tx(async (tx) => { tx.afterCommit(() => { said.push('never') }); throw new Error('no') }))
      assert.deepEqual(said, ['work', 'first', 'second'])
      await assert.rejects(store.read(async (tx) => { tx.afterCommit(() => {}) }), /commits nothing/)
    })

    test('who loses a deadlock is run again', async (t) => {
      const { store } = await rig()
      if (store.engine === 'sqlite') return t.skip('SQLite has one writer at a time: no deadlock can be made')
      await store.tx((tx) => insert(tx, 'suiteServers', [row('s1'), row('s2')]))
      const met = meeting(2), wakes: string[] = []
      let runs = 0
      const cross = (first: string, second: string): Promise<void> => store.tx(async (tx) => {
        runs++
        await sql`UPDATE ${sql.table('suiteServers')} SET ${sql.ref('sizeGib')} = ${sql.ref('sizeGib')} + 1 WHERE id = ${first}`.execute(tx.db)
        await met()
        // Even work that swallows the error is run again: its transaction is gone.
        await change(tx, 'suiteServers', { id: second }, { sizeGib: sql`${sql.ref('sizeGib')} + 1` }).catch(() => {})
        tx.afterCommit(() => { wakes.push(first) })
      })
      await Promise.all([cross('s1', 's2'), cross('s2', 's1')])
      assert.deepEqual((await all(store)).map((r) => r.sizeGib), [3, 3])
      assert.ok(runs >= 3)
      assert.deepEqual(wakes.toSorted(), ['s1', 's2'])
    })

    test('a migration that broke off half-way is finished by the next run', async () => {
      const { store } = await rig()
      let broken = true, runs = 0
      const migrations: Migration[] = [{
        id: '0002', changes: [
          { createTable: 'suiteNotes', as: { columns: { id: 'id', note: 'long?' }, primaryKey: ['id'] } },
          { addColumn: 'suiteServers', name: 'hostName', kind: 'text', default: 'it\'s' },
          { addColumn: 'suiteServers', name: 'epoch', kind: 'int', default: 3 },
          { createIndex: 'suiteServers', columns: ['hostName', 'epoch'], unique: false },
          { dropIndex: 'suiteServers', columns: ['createdAt', 'id'] },
          { run: async (tx) => { runs++; await insert(tx, 'suiteNotes', [{ id: 'n1' }, { id: 'n2' }]); if (broken) throw new Error('power cut') } },
        ],
      }]
      await store.tx((tx) => insert(tx, 'suiteServers', row('s1')))
      assert.equal((await all(store))[0].hostName, undefined)
      await assert.rejects(migrate(store, [...areas, { area: 'suite', migrations }]), /power cut/)
      broken = false
      await migrate(store, [...areas, { area: 'suite', migrations }])
      await migrate(store, [...areas, { area: 'suite', migrations }])
      assert.equal(runs, 2)
      assert.deepEqual([(await all(store))[0].hostName, (await all(store))[0].epoch], ['it\'s', 3])
      assert.equal((await store.read((tx) => tx.db.selectFrom('suiteNotes').selectAll().execute())).length, 2)
    })

    test('several processes migrate at once', async () => {
      const config = await fresh()
      const stores = await Promise.all([openAt(config), openAt(config), openAt(config)])
      let runs = 0
      const more: Migration[] = [{ id: '0002', changes: [{ addColumn: 'suiteServers', name: 'epoch', kind: 'int', default: 0 }, { createIndex: 'suiteServers', columns: ['epoch'] }, { run: async (tx) => { runs++; await insert(tx, 'suiteServers', row('s1')) } }] }]
      await Promise.all(stores.map((store) => migrate(store, [...areas, { area: 'suite', migrations: more }])))
      assert.equal(runs, 1)
      assert.equal((await all(stores[2]!)).length, 1)
    })

    test('two processes write to one database', async () => {
      const { store, config } = await rig()
      const stores = [store, await openAt(config)]
      await Promise.all(Array.from({ length: 40 }, (_, i) => stores[i % 2]!.tx((tx) => count(tx, 'sum', 1))))
      assert.deepEqual([...await store.read((tx) => counts(tx, 'sum'))], [['', 40]])
    })

    test('four megabytes of text', async () => {
      const { store } = await rig()
      const userData = '€'.repeat(1_398_102) + '😀'
      await store.tx((tx) => insert(tx, 'suiteServers', row('s1', { userData })))
      assert.ok((await all(store))[0].userData === userData)
    })

    test('parts of text are found by their place, alike with and without regard to case', async () => {
      const { store } = await rig()
      await store.tx((tx) => insert(tx, 'suiteServers', ['Alpha_1', 'alpha%2', 'ALPHA\\3', 'é🦊alpha'].map((displayName, i) => row(`s${i}`, { displayName }))))
      const found = async (how: TextMatch, part: string, ignoreCase = false): Promise<string> =>
        names(await store.read((tx) => tx.db.selectFrom('suiteServers').selectAll().where(textMatches(tx, 'displayName', how, part, ignoreCase)).orderBy('id').execute()) as any[]).join(' ')
      assert.equal(await found('contains', 'lpha'), 'Alpha_1 alpha%2 é🦊alpha')
      assert.equal(await found('contains', 'LPH', true), 'Alpha_1 alpha%2 ALPHA\\3 é🦊alpha')
      assert.equal(await found('contains', '%'), 'alpha%2')
      assert.equal(await found('contains', '_'), 'Alpha_1')
      assert.equal(await found('startswith', 'alpha'), 'alpha%2')
      assert.equal(await found('startswith', 'aLPHA', true), 'Alpha_1 alpha%2 ALPHA\\3')
      assert.equal(await found('startswith', 'é🦊'), 'é🦊alpha')
      assert.equal(await found('endswith', '\\3'), 'ALPHA\\3')
      assert.equal(await found('endswith', '🦊ALPHA', true), 'é🦊alpha')
      assert.equal(await found('endswith', 'much longer than any of the names'), '')
      assert.equal((await found('endswith', '')).split(' ').length, 4)
    })

    test('statements are counted', async () => {
      const { store } = await rig()
      const before = store.queries
      await store.read(async (tx) => { await tx.db.selectFrom('suiteServers').selectAll().limit(3).offset(1).execute(); await tx.db.selectFrom('suiteServers').selectAll().execute() })
      await store.tx((tx) => change(tx, 'suiteServers', { id: 's1' }, { sizeGib: 1 }))
      assert.equal(store.queries - before, 3)
    })

    test('an error of the work is its caller\'s, and the connection is as good as new', async () => {
      const { store } = await rig()
      await assert.rejects(store.read((tx) => sql`SELECT nothing FROM nowhere`.execute(tx.db)), (e: unknown) => e instanceof Error && !isFault(e))
      for (let i = 0; i < 30; i++) {
        await assert.rejects(store.tx(async (tx) => { await insert(tx, 'suiteServers', row('s1')); await sql`SELECT nothing FROM nowhere`.execute(tx.db) }), (e: unknown) => e instanceof Error && !isFault(e))
      }
      assert.deepEqual(await all(store), [])
    })
  })
}

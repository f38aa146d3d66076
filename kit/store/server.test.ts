// What a store on a server makes of errors, without a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, sql, type QueryResult } from 'kysely'
import { conflict, isFault } from '#base/errors.ts'
import { type Meaning, ServerConnection, serverStore } from './server.ts'

const meaning = (error: unknown): Meaning => (error as { means?: Meaning }).means
const problem = (means: Meaning): Error => Object.assign(new Error(`server says ${means}`), { means })

class Fake extends ServerConnection {
  readonly said: string[]
  readonly troubles: Map<string, Error[]>
  constructor(said: string[], troubles: Map<string, Error[]>) { super(); this.said = said; this.troubles = troubles }
  async #say(what: string): Promise<void> {
    this.said.push(what)
    const trouble = this.troubles.get(what)?.shift()
    if (trouble) throw trouble
  }
  protected override async send(query: { sql: string }): Promise<QueryResult<any>> { await this.#say(query.sql); return { rows: [] } }
  override meaning(error: unknown): Meaning { return meaning(error) }
  override begin(): Promise<void> { return this.#say('begin') }
  override commit(): Promise<void> { return this.#say('commit') }
  override rollback(): Promise<void> { return this.#say('rollback') }
  override release(): void { this.said.push(this.broken ? 'drop' : 'release') }
}

function rig(troubles: Record<string, Error[]>) {
  const said: string[] = [], wakes: string[] = []
  const store = serverStore({
    engine: 'mysql', meaning, acquire: async () => new Fake(said, new Map(Object.entries(troubles))), close: async () => {},
    parts: { createAdapter: () => new MysqlAdapter(), createIntrospector: (db) => new MysqlIntrospector(db), createQueryCompiler: () => new MysqlQueryCompiler() },
  })
  return { store, said, wakes }
}

test('a commit that fails certification runs the work again, and wakes once', async () => {
  const { store, said } = rig({ commit: [problem('again'), problem('again')] })
  let runs = 0, woken = 0
  assert.equal(await store.tx(async (tx) => { await sql`work`.execute(tx.db); tx.afterCommit(() => { woken++ }); return ++runs }), 3)
  assert.equal(woken, 1)
  const failed = ['begin', 'work', 'commit', 'rollback', 'release']
  assert.deepEqual(said, [...failed, ...failed, 'begin', 'work', 'commit', 'release'])
})

test('a connection lost before the commit is replaced; lost at the commit, nobody knows', async () => {
  const before = rig({ work: [problem('lost')] })
  await before.store.tx((tx) => sql`work`.execute(tx.db))
  assert.deepEqual(before.said, ['begin', 'work', 'drop', 'begin', 'work', 'commit', 'release'])
  const at = rig({ commit: [problem('lost')] })
  await assert.rejects(at.store.tx((tx) => sql`work`.execute(tx.db)), (e: unknown) => isFault(e, 'unavailable') && /in the middle/.test(e.message))
  assert.deepEqual(at.said, ['begin', 'work', 'commit', 'drop'])
})

test('work that dresses up or swallows a lost race is run again all the same; nothing follows on a lost transaction', async () => {
  const { store, said } = rig({ work: [problem('again'), problem('again')] })
  let runs = 0
  await store.tx(async (tx) => {
    runs++
    await sql`work`.execute(tx.db).catch(() => { if (runs === 1) throw conflict('dressed up') })
    await sql`more`.execute(tx.db).catch(() => {})
  })
  assert.equal(runs, 3)
  assert.deepEqual(said.filter((s) => s === 'more').length, 1)
})

test('a Fault of the work is not run again; patience has an end', async () => {
  const { store, said } = rig({ rollback: [problem(undefined)] })
  await assert.rejects(store.tx(async () => { throw conflict('mine') }), (e: unknown) => isFault(e, 'conflict'))
  assert.deepEqual(said, ['begin', 'rollback', 'drop'], 'what could not be undone does not go back to the pool')
  const busy = rig({ commit: Array.from({ length: 99 }, () => problem('again')) })
  await assert.rejects(busy.store.tx(async () => {}), (e: unknown) => isFault(e, 'unavailable') && e.message.includes('too busy'))
  const gone = rig({ work: Array.from({ length: 99 }, () => problem('lost')) })
  await assert.rejects(gone.store.read((tx) => sql`work`.execute(tx.db)), (e: unknown) => isFault(e, 'unavailable') && e.message.includes('reached'))
})

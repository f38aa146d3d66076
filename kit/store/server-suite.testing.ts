// What only a database server can do wrong, as tests for each of them.
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { isFault } from '#base/errors.ts'
import type { SqlServer } from '#test/servers/postgres.ts'
import { scratch } from '#test/servers/process.ts'
import { migrate } from './migrations.ts'
import { count, counts, insert, storeMigrations } from './rows.ts'
import { openStore, type Store, parseStoreUrl } from './store.ts'
import { storeSuite } from './suite.ts'

/** Runs the common suite and the faults on a server that `start` puts into a directory. */
export function serverSuite(name: string, start: (dir: string) => Promise<SqlServer>): void {
  const { dir, remove } = scratch(name.toLowerCase())
  let started: Promise<SqlServer> | undefined
  const server = (): Promise<SqlServer> => started ??= start(`${dir}/server`)
  const opened: Store[] = []
  const open = async (url: string): Promise<Store> => {
    const store = await openStore(parseStoreUrl(url))
    opened.push(store)
    return store
  }
  afterEach(async () => { await Promise.all(opened.splice(0).map((store) => store.close())) })
  after(async () => { await (await started)?.stop(); remove() })

  storeSuite(name, async () => parseStoreUrl(await (await server()).database()))

  test(`${name}: what is wrong with the URL is said, the password is not`, async () => {
    const url = await (await server()).database()
    const changed = (change: (u: URL) => void): string => { const u = new URL(url); change(u); return u.href }
    for (const [bad, words] of [
      [changed((u) => { u.password = 'wrongsecret' }), /refused the user pileus or the password/],
      [changed((u) => { u.pathname = '/nowhere' }), /has no database nowhere/],
      [changed((u) => { u.port = '1'; u.password = 'wrongsecret' }), /127\.0\.0\.1:1 cannot be reached/],
      [url.replace('127.0.0.1', 'a host'), /must look like/],
    ] as const) {
      await assert.rejects(open(bad), (error: Error) => {
        assert.match(error.message, words)
        for (let e: unknown = error; e instanceof Error; e = e.cause) assert.doesNotMatch(JSON.stringify(e, Object.getOwnPropertyNames(e)), new RegExp(`wrongsecret|${new URL(url).password}`))
        return true
      })
    }
  })

  test(`${name}: a restart of the server is survived; while it is away, it is "unavailable"`, async () => {
    const store = await open(await (await server()).database())
    await migrate(store, [{ area: 'kit/store', migrations: storeMigrations }])
    for (const hard of [false, true]) {
      let runs = 0
      const inside = Promise.withResolvers<void>(), back = Promise.withResolvers<void>()
      const working = store.tx(async (tx) => {
        runs++
        await count(tx, 'sum', 1)
        inside.resolve()
        await back.promise
        await count(tx, 'sum', 1)
      })
      await inside.promise
      await (await server()).restart({ hard })
      back.resolve()
      await working
      assert.equal(runs, 2, 'the work is run again on a new connection')
    }
    assert.deepEqual([...await store.read((tx) => counts(tx, 'sum'))], [['', 4]])
  })

  test(`${name}: a value the column cannot hold is refused, never cut`, async () => {
    const store = await open(await (await server()).database())
    await migrate(store, [{ area: 'kit/store', migrations: storeMigrations }])
    await assert.rejects(store.tx((tx) => insert(tx, 'kitCounters', { name: 'x'.repeat(256), value: 1 })), (e: unknown) => isFault(e, 'badRequest'))
    await store.tx((tx) => insert(tx, 'kitCounters', { name: '😀'.repeat(255), value: 1 }))
    await assert.rejects(store.tx((tx) => insert(tx, 'kitCounters', { name: 'a', value: 'many' })))
  })

  test(`${name}: the server gone for good`, async () => {
    const store = await open(await (await server()).database())
    await (await server()).stop()
    await assert.rejects(store.tx((tx) => count(tx, 'sum', 1)), (e: unknown) => isFault(e, 'unavailable'))
    await assert.rejects(store.read((tx) => counts(tx, 'sum')), (e: unknown) => isFault(e, 'unavailable'))
  })
}

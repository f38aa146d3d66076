// Imports under every misfortune: each step fails or is killed, each journal write is the last, a stale runner goes on, a deletion comes at any point. Whatever happens, the image is
// active with its bytes or as it was before, nothing is staged, and no store holds bytes nobody refers to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { sagaContract, type SagaWorld } from '#kit/saga/contract.ts'
import type { Runner } from '#kit/saga/runner.ts'
import { sagaMigrations } from '#kit/saga/schema.ts'
import { migrate } from '#kit/store/migrations.ts'
import { storeMigrations } from '#kit/store/rows.ts'
import { openStore } from '#kit/store/store.ts'
import { defaultConfig } from '../config.ts'
import type { Deps } from '../deps.ts'
import * as images from '../images/store.ts'
import { image } from '../service.ts'
import { addPart, partsOf } from '../stage/store.ts'
import { addCopy, copiesOf } from '../stores/store.ts'
import * as tasks from '../tasks/store.ts'
import { imageTestDeps, imageTestRunner, testContext as ctx } from '../testing/start.ts'
import { begin } from './api.ts'
import { removeImage } from './purge.ts'
import type { ImportInput } from './saga.ts'

const content = 'bytes that are imported'
const by = { ...ctx, actor: { userId: 'u', projectId: 'p', roles: ['member'] } }
interface World extends SagaWorld { deps: Deps, breakStore(id: string): void }

async function fresh(method: 'glance-direct' | 'copy-image', over: Partial<ImportInput> = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-import-'))
  const store = await openStore({ engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  await migrate(store, [{ area: 'kit', migrations: storeMigrations }, { area: 'kit.saga', migrations: sagaMigrations }, { area: 'image', migrations: image.migrations }])
  let runner!: Runner
  const deps = await imageTestDeps(store, () => runner, { config: { ...defaultConfig, plugins: { ...defaultConfig.plugins, convertTo: 'raw' } } })
  const copying = method === 'copy-image', id = newId(), taskId = newId()
  // Something whose disk is converted on the way: a VDI's header, then what is looked for in the end.
  const header = Buffer.alloc(512)
  header.write('\x7f\x10\xda\xbe', 0x40, 'latin1')
  header.writeUInt32LE(0x10001, 0x44)
  header.writeUInt32LE(1, 0x4c)
  const bytes = Buffer.concat([header, Buffer.from(content)])
  const broken = new Set<string>()
  for (const { id: name, blobs } of deps.stores.list) {
    const put = blobs.put.bind(blobs)
    blobs.put = (...args) => broken.has(name) ? Promise.reject(new Error('broken')) : put(...args)
  }

  return {
    deps, breakStore: (name) => { broken.add(name) },
    async runner(hooks) { return runner = imageTestRunner(store, () => deps, hooks) },
    async start() {
      const stored = await (copying ? deps.stores.blobs('file')! : deps.staging).put(ctx, Readable.from([bytes]), { maxBytes: 10_000 })
      await deps.store.tx(async (tx) => {
        await images.add(tx, {
          id, name: 'x', ownerId: 'p', visibility: 'private', protected: 0, hidden: 0, diskFormat: 'vdi', containerFormat: 'bare', minDiskGib: 0, minRamMib: 0, createdAt: now(), updatedAt: now(), properties: {}, tags: [], locations: [],
          ...images.noData, status: copying ? 'active' : 'importing', importTaskId: taskId, ...(copying && { size: stored.size, checksum: stored.md5, osHashAlgo: 'sha512', osHashValue: stored.sha512 }),
        })
        if (copying) await addCopy(tx, { imageId: id, store: 'file', location: stored.location, taskId: null })
        else await addPart(tx, { imageId: id, form: 0, startAt: 0, size: stored.size, location: stored.location, last: 1 })
        await begin(tx, by, deps, { id: taskId, type: 'api_image_import', ownerId: 'p', userId: 'u', requestId: 'r', imageId: id, input: '{}' }, {
          imageId: id, taskId, method, stores: copying ? ['fast'] : ['file', 'fast'], allMustSucceed: true, plugins: deps.config.plugins, madeImage: false, ...over,
        })
      }, { durable: true })
      return `image:${id}`
    },
    preempt: () => deps.store.tx(async (tx) => {
      const found = await images.find(tx, id)
      if (found) await removeImage(tx, by, deps, found)
    }, { durable: true }),
    async check(outcome) {
      const { found, parts, task, copies } = await deps.store.read(async (tx) => ({ found: await images.find(tx, id), parts: await partsOf(tx, id), task: await tasks.find(tx, taskId), copies: await copiesOf(tx, id) }))
      const kept = async (name: string): Promise<string[]> => (await deps.stores.blobs(name)!.list(ctx)).map((blob) => blob.location)
      assert.deepEqual(parts, [])
      assert.deepEqual(await deps.staging.list(ctx), [], 'staged bytes are left')
      for (const { id: name } of deps.stores.list) assert.deepEqual(await kept(name), copies.filter((copy) => copy.store === name).map((copy) => copy.location), `the bytes in ${name} are not those that are referred to`)
      assert.ok(copies.every((copy) => copy.taskId === null), 'a copy is never published')
      if (outcome === 'preempted') return void assert.deepEqual([found, copies], [undefined, []])
      assert.equal(task?.status, outcome === 'done' ? 'success' : 'failure')
      assert.equal(found?.importTaskId, null)
      assert.equal(found.status, outcome === 'done' || copying ? 'active' : 'queued')
      if (outcome === 'failed') return void assert.deepEqual(copies.map((copy) => copy.store), copying ? ['file'] : [])
      // Each store has a copy, or is named as one that failed.
      const failed = (found.failedImport ?? '').split(',').filter((name) => name !== '')
      assert.deepEqual([...found.locations.map((copy) => copy.store), ...failed].sort(), ['fast', 'file'])
      if (over.allMustSucceed !== false) assert.deepEqual(failed, [])
      const [first] = found.locations, body = await deps.stores.blobs(first!.store)!.get(ctx, first!.location)
      assert.ok(Buffer.concat(await body.toArray()).includes(content))
      assert.equal(found.diskFormat, copying ? 'vdi' : 'raw')
    },
    async close() { await store.close(); await rm(dir, { recursive: true, force: true }) },
  }
}
const faults = { 'a store is broken': (world: World) => world.breakStore('fast') }

// Evenly chosen points; all of them were run when this was written (without the two bounds: a minute).
test('a staged image, converted, into two stores', async () => { await sagaContract({ fresh: () => fresh('glance-direct'), faults, maxPairs: 5, maxPoints: 8 }) })
test('a copy from store to store', async () => { await sagaContract({ fresh: () => fresh('copy-image'), faults, maxPairs: 3, maxPoints: 5 }) })
test('as far as it goes', async () => { await sagaContract({ fresh: () => fresh('glance-direct', { allMustSucceed: false }), faults, maxPairs: 3, maxPoints: 5 }) })

// Starts the image service for a test: real HTTP and a database of its own, stores in memory (two of them: `file`, the default, and `fast`), a converter that pretends.
import { Readable } from 'node:stream'
import { plainContext } from '#base/context.ts'
import { blobDrivers } from '#drivers/blob/index.ts'
import { converters } from '#drivers/conversion/index.ts'
import { createRunner, type Runner, type RunnerOptions } from '#kit/saga/runner.ts'
import { sagaMigrations } from '#kit/saga/schema.ts'
import { startApi, type ApiSetup, type TestApi } from '#kit/testing/api.ts'
import type { Store } from '#kit/store/store.ts'
import { defaultConfig } from '../config.ts'
import type { Deps } from '../deps.ts'
import { resourceOf } from '../imports/saga.ts'
import { image, imageSagas } from '../service.ts'
import { Stores } from '../stores/stores.ts'

export interface ImageTest extends TestApi {
  deps: Deps
  runner: Runner
  /** An image record: of raw bytes unless said otherwise. */
  make(over?: Record<string, unknown>, as?: string): Promise<string>
  upload(id: string, bytes: Buffer, headers?: Record<string, string>): Promise<number>
  /** The image as it is once nothing works on it. */
  settled(id: string): Promise<Record<string, any>>
}

/** What handlers are handed, over fakes; for tests that need no HTTP as well. */
export async function imageTestDeps(store: Store, runner: () => Runner, over: Partial<Deps> = {}): Promise<Deps> {
  const kept = async (id: string) => ({ id, type: 'fake', weight: 0, properties: {}, blobs: await blobDrivers.fake() })
  return {
    store: store.as(), stores: new Stores([{ ...await kept('file'), description: 'The usual one' }, await kept('fast')], 'file'), staging: await blobDrivers.fake(),
    tokens: new Map(), cache: { host: 'host-1', blobs: await blobDrivers.fake(), maxBytes: 4096 }, converter: await converters.fake(), runner, config: defaultConfig, maxImageBytes: 1024 ** 2, maxImagesPerProject: 1000, ...over,
  }
}

export const imageTestRunner = (store: Store, deps: () => Deps, over: Partial<RunnerOptions> = {}): Runner => createRunner({
  store, sagas: imageSagas, deps, owner: 'here', soleOwner: true, sealKey: Buffer.alloc(32, 1), undoBackoff: { firstMs: 1, maxMs: 1, attempts: 3 }, retryBackoff: { firstMs: 1, maxMs: 1 }, ...over,
})

export async function startImage(over: Partial<Deps> = {}, setup: Partial<ApiSetup> = {}): Promise<ImageTest> {
  let runner!: Runner, deps!: Deps
  const api = await startApi({
    ...setup, migrations: [{ area: 'kit.saga', migrations: sagaMigrations }],
    services: [{ module: image, async deps({ store }) {
      deps = await imageTestDeps(store, () => runner, over)
      runner = imageTestRunner(store, () => deps)
      await runner.open()
      return deps
    } }],
  })
  return {
    ...api, deps, runner,
    async make(over = {}, as = 'member') {
      const reply = await api.call(as, 'image', 'createImage', { body: { disk_format: 'raw', container_format: 'bare', visibility: 'private', ...over } })
      if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
      return reply.body.id
    },
    async upload(id, bytes, headers = {}) {
      return (await api.call('member', 'image', 'uploadImage', { params: { image_id: id }, stream: Readable.from([bytes]), headers: { 'content-type': 'application/octet-stream', ...headers } })).status
    },
    async settled(id) {
      await runner.settled(resourceOf(id))
      return (await api.call('admin', 'image', 'showImage', { params: { image_id: id } })).body
    },
    async close() {
      await runner.stop()
      await api.close()
    },
  }
}
export const testContext = plainContext()

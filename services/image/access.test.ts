import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { runQueries } from '#kit/testing/run-queries.ts'
import { image } from './service.ts'
import { startImage, type ImageTest } from './testing/start.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())
const cases = await image.access(), started = () => ({ api, world: worldOf(api, { userId: () => 'user' }) })
runAccess(image.http, cases, started)
runQueries(image.http, cases, {
  filledBy: { listTasks: 'importImage' },
  fixed: {
    listStores: 'as configured', listStoreDetails: 'as configured', listImageLocations: 'an image whose bytes are somewhere has one', listImageTasks: 'a task or two of one image',
    listVersions: 'a document', listMetadefResourceTypes: 'the names that the seeded definitions use', listMetadefTags: 'tags are set as a whole, or one by one with a POST on their own path',
  },
}, started)

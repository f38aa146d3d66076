import { after, before } from 'node:test'
import { blobDrivers } from '#drivers/blob/index.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { image } from './service.ts'

let api: TestApi
before(async () => {
  const blobs = await blobDrivers.fake()
  api = await startApi({ services: [{ module: image, deps: ({ store }) => ({ store: store.as(), blobs, maxImageBytes: 1024 ** 2, maxImagesPerProject: 1000 }) }] })
})
after(() => api.close())
runAccess(image.http, await image.access(), () => ({ api, world: worldOf(api, { userId: () => 'user' }) }))

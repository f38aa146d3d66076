// The image service alone over real HTTP, with a database of its own and bytes in memory. A token is a persona's name.
import { blobDrivers } from '#drivers/blob/index.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import type { Deps } from '../deps.ts'
import { image } from '../service.ts'

export type ImageTest = TestApi

export async function startImage(over: Partial<Deps> = {}, setup: Partial<Parameters<typeof startApi>[0]> = {}): Promise<ImageTest> {
  const blobs = await blobDrivers.fake()
  return startApi({ ...setup, services: [{ module: image, deps: ({ store }) => ({ store: store.as(), blobs, maxImageBytes: 1024 ** 2, maxImagesPerProject: 1000, ...over }) }] })
}

// The blob stores by name. Each is loaded only when asked for.
import type { BlobStore } from './contract.ts'
import type { FileConfig } from './file/store.ts'

export const blobDrivers = {
  file: async (config: FileConfig): Promise<BlobStore> => (await import('./file/store.ts')).openFileBlobs(config),
  fake: async (): Promise<BlobStore> => new (await import('./fake/store.ts')).FakeBlobs(),
}

import { blobSuite } from '../suite.ts'
import { FakeBlobs } from './store.ts'

blobSuite('fake', async () => {
  const store = new FakeBlobs()
  return { store, leftovers: async () => [], close: () => store.close() }
})

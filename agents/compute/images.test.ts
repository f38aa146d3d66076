// The node's image cache over a real blob store: what a guest runs on outlives the image.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtemp, readFile, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { plainContext } from '#base/context.ts'
import { isFault, notFound } from '#base/errors.ts'
import type { BlobStore, Stored } from '#drivers/blob/contract.ts'
import { blobDrivers } from '#drivers/blob/index.ts'
import { removeTree } from '#host/files.ts'
import { openImageCache } from './images.ts'

const ctx = plainContext()
let home: string, blobs: BlobStore, there: Stored | undefined, container: string | undefined = 'bare'
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'pileus-cache-'))
  blobs = await blobDrivers.file({ dir: join(home, 'images') })
})
after(() => removeTree(home))

const cache = (dir: string, shared: boolean) => openImageCache({
  dir: join(home, dir), bytes: true, ...(shared && { localPaths: (hash: string) => [join(home, 'elsewhere', hash), blobs.localPath!(hash)] }),
  image: { call: async (_ctx, operation) => {
    if (!there) throw notFound('No image found with ID i')
    return { status: 200, headers: {}, body: (operation === 'showImage' ? { id: 'i', status: 'active', disk_format: 'raw', container_format: container, size: there.size, os_hash_algo: 'sha512', os_hash_value: there.sha512 } : await blobs.get(ctx, there.location)) as never }
  } },
})

for (const [name, shared] of [['linked from the store beside it', true], ['fetched', false]] as const) test(`an image ${name} stays with the guests that run on it when it is deleted`, async () => {
  there = await blobs.put(ctx, Readable.from([Buffer.from(`the disk, ${name}`)]), { maxBytes: 100 })
  const images = cache(name, shared), { path } = await images.have(ctx, 'i')
  await blobs.remove(ctx, there.location, async () => true)
  there = undefined
  assert.deepEqual((await blobs.list(ctx)), [])
  assert.equal(await readFile(path, 'utf8'), `the disk, ${name}`)
  assert.deepEqual((await readdir(join(home, name))).length, 1)
  // Nobody begins with it any more.
  await assert.rejects(images.have(ctx, 'i'), (error) => isFault(error, 'notFound'))
})

test('what the image service does not look into, because no hypervisor opens it, is not opened', async (t) => {
  t.after(() => { container = 'bare' })
  there = await blobs.put(ctx, Readable.from([Buffer.from('an archive, and a disk with a file of the host behind it as well')]), { maxBytes: 100 })
  for (container of ['ova', 'ovf', 'docker', 'compressed', undefined]) await assert.rejects(cache('contained', false).have(ctx, 'i'), (error) => isFault(error, 'conflict'), container)
})

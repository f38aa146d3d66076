// A disk that fills up while bytes come. Needs root: mounts a small file system in memory.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import { exec } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { openFileBlobs } from './store.ts'

const ctx = plainContext()
let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pileus-full-'))
  await exec('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'pileus-full', dir])
})
after(async () => {
  await exec('umount', [dir])
  await removeTree(dir)
})

test('says that there is no space, keeps nothing, and goes on when there is room', async () => {
  const store = await openFileBlobs({ dir })
  const many = (mib: number): Readable => Readable.from((function* () { for (let i = 0; i < mib; i++) yield Buffer.alloc(MIB, i) })())
  for (const mib of [9, 40]) {
    const body = many(mib)
    await assert.rejects(store.put(ctx, body, { maxBytes: 1e9 }), error => isFault(error, 'unavailable') && /No space left/.test(error.message))
    assert.deepEqual(await readdir(join(dir, 'incoming')), [])
    body.destroy()
  }
  assert.equal((await store.put(ctx, many(6), { maxBytes: 1e9 })).size, 6 * MIB)
})

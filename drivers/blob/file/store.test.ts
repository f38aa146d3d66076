// The suite, and what only files promise.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { plainContext } from '#base/context.ts'
import { removeTree } from '#host/files.ts'
import { startOf } from '#host/processes.ts'
import { blobSuite } from '../suite.ts'
import { openFileBlobs } from './store.ts'

const ctx = plainContext()
const strangers = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { recursive: true })).filter(path => path !== 'incoming' && !/^[0-9a-f]{2}(\/[0-9a-f]{128})?$/.test(path))

blobSuite('file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-blob-'))
  const store = await openFileBlobs({ dir })
  return { store, leftovers: () => strangers(dir), async close() { await store.close(); await removeTree(dir) } }
})

describe('blobs in files', () => {
  let dir: string
  before(async () => { dir = await mkdtemp(join(tmpdir(), 'pileus-blob-')) })
  after(() => removeTree(dir))

  test('lie under their hash, readable and not writable', async () => {
    const store = await openFileBlobs({ dir })
    const { location, sha512 } = await store.put(ctx, Readable.from([Buffer.from('hello')]), { maxBytes: 10 })
    assert.equal(store.localPath!(location), join(dir, sha512.slice(0, 2), sha512))
    assert.equal((await stat(store.localPath!(location))).mode & 0o777, 0o444)
  })

  test('are there after a restart; what dead processes were receiving is not, what living ones receive is', async () => {
    const mine = `${process.pid}-${await startOf(process.pid)}-x`
    await mkdir(join(dir, 'incoming'), { recursive: true })
    for (const name of ['999999999-1-x', `${process.pid}-1-x`, 'whatever', mine]) await writeFile(join(dir, 'incoming', name), 'half')
    const store = await openFileBlobs({ dir })
    assert.deepEqual(await readdir(join(dir, 'incoming')), [mine])
    assert.equal((await store.list(ctx)).length, 1)
  })

  test('a damaged file is replaced when its content comes again', async () => {
    const store = await openFileBlobs({ dir })
    const put = (): Promise<{ location: string }> => store.put(ctx, Readable.from([Buffer.from('content')]), { maxBytes: 10 })
    const path = store.localPath!((await put()).location)
    await removeTree(path)
    await writeFile(path, 'cut')
    await put()
    assert.equal((await stat(path)).size, 7)
  })
})

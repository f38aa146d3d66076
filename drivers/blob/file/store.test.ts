// The suite, and what only files promise.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { plainContext } from '#base/context.ts'
import { conflict, isFault } from '#base/errors.ts'
import { removeTree } from '#host/files.ts'
import { startOf } from '#host/processes.ts'
import type { BlobStore } from '../contract.ts'
import { blobSuite } from '../suite.ts'
import { openFileBlobs } from './store.ts'

const ctx = plainContext()
const strangers = async (dir: string): Promise<string[]> =>
  (await readdir(dir, { recursive: true })).filter(path => path !== 'incoming' && path !== 'aside' && !/^[0-9a-f]{2}(\/[0-9a-f]{128})?$/.test(path))

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
    const here = hostname(), mine = `${here}~${process.pid}~${await startOf(process.pid)}~x`, elsewhere = `not-${here}~1~1~x`
    await mkdir(join(dir, 'incoming'), { recursive: true })
    for (const name of [`${here}~999999999~1~x`, `${here}~${process.pid}~1~x`, 'whatever', mine, elsewhere]) await writeFile(join(dir, 'incoming', name), 'half')
    const store = await openFileBlobs({ dir })
    assert.deepEqual((await readdir(join(dir, 'incoming'))).sort(), [mine, elsewhere].sort())
    assert.equal((await store.list(ctx)).length, 1)
  })

  test('what a dead process put in place without writing down whose it is, is found and removed, and nothing else', async () => {
    const store = await openFileBlobs({ dir }), put = (content: string): Promise<{ location: string }> => store.put(ctx, Readable.from([Buffer.from(content)]), { maxBytes: 10 })
    const { location: known } = await put('known'), { location: unknown } = await put('unknown'), { location: other } = await put('other')
    for (const location of [known, unknown]) await writeFile(join(dir, 'incoming', `${hostname()}~999999999~1~x~${location}`), '')
    const next = await openFileBlobs({ dir })
    await next.recover(ctx, async (location) => location === unknown)
    const there = (await next.list(ctx)).map(blob => blob.location)
    assert.deepEqual([known, unknown, other].map(location => there.includes(location)), [true, false, true])
    assert.equal((await readdir(join(dir, 'incoming'))).filter(name => name.includes(known)).length, 0)
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

  // Two stores over one directory share nothing but the directory: as two processes.
  const two = async (): Promise<[BlobStore, BlobStore]> => [await openFileBlobs({ dir }), await openFileBlobs({ dir })]
  const text = (content: string): Readable => Readable.from([Buffer.from(content)])

  test('one process keeps what another removes at the same time, whichever moment it is', async () => {
    for (const moment of ['before it asks', 'between asking and moving', 'while it asks again', 'afterwards'] as const) {
      const [keeper, remover] = await two()
      const { location } = await keeper.put(ctx, text(`x ${moment}`), { maxBytes: 100 })
      let referred = false, asked = 0
      const keep = (): Promise<unknown> => keeper.put(ctx, text(`x ${moment}`), { maxBytes: 100, unused: async () => !referred, keep: async () => { referred = true } })
      if (moment === 'before it asks') await keep()
      await remover.remove(ctx, location, async () => {
        const answer = !referred
        asked++
        if (moment === 'between asking and moving' && asked === 1) await keep()
        if (moment === 'while it asks again' && asked === 2) await keep()
        return answer
      })
      if (moment === 'afterwards') await keep()
      assert.equal((await buffer(await keeper.get(ctx, location))).toString(), `x ${moment}`, moment)
      assert.deepEqual(await readdir(join(dir, 'aside')), [], moment)
    }
  })

  test('a keep that fails leaves what another process refers to', async () => {
    const [one, other] = await two()
    let referred = false, location = ''
    const options = { maxBytes: 100, unused: async () => !referred }
    await assert.rejects(one.put(ctx, text('both'), { ...options, async keep(stored) {
      location = stored.location
      await other.put(ctx, text('both'), { ...options, keep: async () => { referred = true } })
      throw conflict('no')
    } }), error => isFault(error, 'conflict'))
    assert.equal((await buffer(await one.get(ctx, location))).toString(), 'both')
    referred = false
    await assert.rejects(one.put(ctx, text('both'), { ...options, keep: async () => { throw conflict('no') } }))
    await assert.rejects(one.get(ctx, location), error => isFault(error, 'notFound'))
  })

  test('what is moved aside is still read, and what a dead process left there is put back', async () => {
    const store = await openFileBlobs({ dir })
    const { location } = await store.put(ctx, text('aside'), { maxBytes: 100 })
    await store.remove(ctx, location, (() => { let n = 0; return async () => { if (n++ > 0) assert.equal((await buffer(await store.get(ctx, location))).toString(), 'aside'); return n < 2 } })())
    await rename(store.localPath!(location), join(dir, 'aside', `${location}~${hostname()}~999999999~1~x`))
    const next = await openFileBlobs({ dir })
    assert.deepEqual(await readdir(join(dir, 'aside')), [])
    assert.equal((await buffer(await next.get(ctx, location))).toString(), 'aside')
  })
})

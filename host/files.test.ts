import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFault, ensureDirectory, readJson, readText, removeFile, removeIfEmpty, removeTree, writeAtomic, writeJson } from '#host/files.ts'
import { isFault } from '#base/errors.ts'

const home = await mkdtemp(join(tmpdir(), 'pileus-files-'))
after(() => removeTree(home))

test('written whole, with its mode, nothing left beside it', async () => {
  const path = join(home, 'a', 'one.json')
  await ensureDirectory(join(home, 'a'))
  await writeJson(path, { n: 1 }, { mode: 0o640, durable: true })
  await writeJson(path, { n: 2 }, { mode: 0o640 })
  assert.deepEqual(await readJson(path), { n: 2 })
  assert.equal((await stat(path)).mode & 0o777, 0o640)
  assert.deepEqual(await readdir(join(home, 'a')), ['one.json'])
})

test('a write that fails leaves nothing', async () => {
  await ensureDirectory(join(home, 'b', 'taken'))
  await assert.rejects(writeAtomic(join(home, 'b', 'taken'), 'x')) // a directory has that name
  assert.deepEqual(await readdir(join(home, 'b')), ['taken'])
})

test('absent is fine for readers and removers', async () => {
  assert.equal(await readText(join(home, 'none')), undefined)
  assert.equal(await readJson(join(home, 'none', 'none')), undefined)
  assert.equal(await removeFile(join(home, 'none')), false)
  await removeTree(join(home, 'none'))
  assert.equal(await removeIfEmpty(join(home, 'none')), true)
  assert.equal(await removeIfEmpty(home), false)
})

test('a full disk is a fault that says so', () => {
  assert.ok(isFault(diskFault(Object.assign(new Error(), { code: 'ENOSPC' })), 'unavailable'))
  const other = new Error()
  assert.equal(diskFault(other), other)
})

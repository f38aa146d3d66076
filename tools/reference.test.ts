import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { services } from '#services/index.ts'
import { referencePages } from './reference.ts'

const dir = join(import.meta.dirname, '../docs/reference')
const pages = referencePages(services.map((s) => s.http))

test('the committed reference is what the lists of operations say (npm run reference)', async () => {
  assert.deepEqual((await readdir(dir)).sort(), [...pages.keys()].sort())
  for (const [name, text] of pages) assert.ok(await readFile(join(dir, name), 'utf8') === text, `docs/reference/${name} is out of date: run npm run reference and commit it`)
})

test('every operation that users may call has an entry, and no other', () => {
  for (const { http } of services) {
    for (const op of http.operations) assert.equal(pages.get(`${http.name}.md`)!.includes(`: ${op.name}\n`), op.internal !== true, `${http.name}.${op.name}`)
  }
})

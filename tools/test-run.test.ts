import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestEvent } from './test-reporter.ts'
import { runTogether, summarize } from './test-run.ts'

let dir: string
before(async () => { dir = await mkdtemp(join(tmpdir(), 'pileus-runner-')) })
after(() => rm(dir, { recursive: true, force: true }))

const start = `import { test } from 'node:test'\nimport assert from 'node:assert'\n`
async function ran(files: Record<string, string>): Promise<TestEvent[]> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), start + text)
  return runTogether(Object.keys(files).map((name) => join(dir, name)), { timeoutMs: 10_000, totalMs: 30_000 })
}

test('passed, failed and skipped are told apart, over several files', async () => {
  const results = await ran({
    'a.test.mjs': `test('good', () => {})\ntest('bad', () => { assert.equal(1, 2) })`,
    'b.test.mjs': `test('not here', { skip: 'no such device' }, () => {})\ntest('outer', async (t) => { await t.test('inner', () => { throw new Error('why', { cause: new Error('deeper') }) }) })`,
  })
  const { passed, failed, skipped } = summarize(results)
  assert.deepEqual({ passed, failed, skipped }, { passed: 1, failed: 3, skipped: 1 })
  assert.match(results.find((r) => r.name === 'bad')!.error!, /1 == 2/)
  assert.match(results.find((r) => r.name === 'inner')!.error!, /why[^]*deeper/)
  assert.equal(results.find((r) => r.name === 'not here')!.skipped, 'no such device')
})

test('what a test took by itself is told without the tests within it', async () => {
  const wait = 'await new Promise((r) => setTimeout(r, 20))'
  const results = await ran({ 'f.test.mjs': `test('outer', async (t) => { await t.test('first', async () => { ${wait} }); await t.test('second', async () => { ${wait} }) })\ntest('after', () => {})` })
  const [first, second, outer, after] = ['first', 'second', 'outer', 'after'].map((name) => results.find((r) => r.name === name)!)
  assert.equal(outer!.ownMs, Math.max(0, outer!.tookMs - (first!.tookMs + second!.tookMs)))
  for (const r of [first, second, after]) assert.equal(r!.ownMs, r!.tookMs)
})

test('a file that cannot be loaded is a failure', async () => {
  const results = await ran({ 'c.test.mjs': `import './not-there.mjs'` })
  assert.deepEqual(results.map((r) => r.passed), [false])
  assert.match(results[0]!.error!, /not-there/)
})

test('a process that ends in the middle is a failure that names the last test', async () => {
  const results = await ran({ 'd.test.mjs': `test('first', () => {})\ntest('second', async () => { await new Promise((r) => setImmediate(r)); process.kill(process.pid, 'SIGKILL') })` })
  assert.equal(results.filter((r) => !r.passed).length, 1)
  assert.match(results.find((r) => !r.passed)!.error!, /before all tests were done.*first/)
})

test('a handle that stays open does not hold up the end', async () => {
  const results = await ran({ 'e.test.mjs': `setInterval(() => {}, 1000)\ntest('good', () => {})` })
  assert.deepEqual(results.map((r) => r.passed), [true])
})

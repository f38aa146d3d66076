import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitting } from './judge.ts'
import { patternOf } from './pattern.ts'

test('who asks with a costly expression for many names does not keep others waiting', async () => {
  const pattern = patternOf('(a?){300}b$'), names = Array.from({ length: 200 }, (_x, i) => 'a'.repeat(250) + (i % 2 ? 'b' : 'c'))
  let others = 0, asking = true
  const turn = (): void => { others++; if (asking) setImmediate(turn) }
  setImmediate(turn)
  const found = await fitting(names, (name) => pattern.test(name))
  asking = false
  assert.equal(found.length, 100)
  assert.ok(others > 5, `${others} turns of others meanwhile`)
})

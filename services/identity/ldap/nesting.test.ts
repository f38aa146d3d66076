import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nesting } from './directory.ts'

test('members of groups within groups, rings and all', () => {
  const within = nesting(new Map([['a', ['b', 'ann']], ['b', ['c', 'bob']], ['c', ['a', 'cid']], ['self', ['self']]]))
  for (const [of, all] of [[['b', 'ann'], ['a', 'ann', 'b', 'bob', 'c', 'cid']], [['self'], ['self']], [['stranger'], ['stranger']], [[], []]] as const) assert.deepEqual([...within([...of])].sort(), all)
})

test('a directory that would never end is one that does not answer as it should', () => {
  const chain = new Map(Array.from({ length: 1000 }, (_x, i): [string, string[]] => [`g${i}`, [`g${i + 1}`]])), within = nesting(chain)
  assert.throws(() => { for (const members of chain.values()) within(members) }, /does not answer as it should/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patternOf } from './pattern.ts'

const same = (pattern: string, texts: string[]): void => {
  for (const text of texts) assert.equal(patternOf(pattern).test(text), new RegExp(pattern).test(text), `${pattern} on ${text}`)
}

test('finds what an ordinary regular expression finds', () => {
  same('web', ['web', 'my-web-1', 'we', ''])
  same('^web-[0-9]+$', ['web-1', 'web-', 'xweb-1', 'web-12x', 'web-007'])
  same('^.+\\-[0-9]+\\-.*$', ['a-1-', 'a-1', '-1-x', 'tempest-server-123-abc'])
  same('(a|b|)c{2,3}d?', ['acc', 'bccc', 'cc', 'c', 'xxccd'])
  same('[^a-c]x|^$', ['ax', 'dx', '', 'x'])
  same('a{3}', ['aa', 'aaa', 'aaaa'])
  same('(ab)*c', ['c', 'ababc', 'aba'])
  same('\\d\\s\\w', ['1 a', '1a', ' 1 _'])
  same('a{,2}', ['a{,2}', 'aa'])
  same('[]x]', [])
})

test('an expression that would take other engines for ever takes no time', () => {
  assert.equal(patternOf('(a+)+$').test(`${'a'.repeat(2000)}b`), false)
  assert.equal(patternOf('(.*)*(.*)*(.*)*x').test('y'.repeat(255)), false)
})

test('what is no expression, or too large a one, is refused', () => {
  for (const bad of ['(', ')', '[a', '*a', 'a{3,1}', '\\', '(?=a)', '\\1', '((a{200}){200}){200}', 'a'.repeat(300), `${'('.repeat(60)}a${')'.repeat(60)}`]) assert.throws(() => patternOf(bad), { kind: 'badRequest' }, bad)
})

test('tells the database what it can search by', () => {
  assert.equal(patternOf('web-1').literal, 'web-1')
  assert.equal(patternOf('^web$').literal, 'web')
  assert.equal(patternOf('web.*').literal, '')
})

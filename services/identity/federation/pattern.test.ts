import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadPattern, OutOfFuel, patternOf } from './pattern.ts'

const found = (pattern: string, text: string): boolean => patternOf(pattern).found(text, { left: 1_000_000 })

test('what is found, and what not', () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ['abc', ['abc', 'xabcx'], ['ab', '']], ['^abc$', ['abc', 'abc\n'], ['xabc', 'abcx', 'abc\n\n']], ['', ['', 'x'], []], ['a|b', ['a', 'xb'], ['c']],
    ['^(dev|ops)-[a-z]+$', ['dev-team', 'ops-x'], ['dev-', 'qa-team']], ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']], ['^a{2}$', ['aa'], ['aaa']], ['^a{2,}$', ['aa', 'aaaaa'], ['a']], ['^a{,2}$', ['', 'aa'], ['aaa']],
    ['^.*@example\\.com$', ['bob@example.com'], ['bob@exampleXcom', 'a\nb']], ['(?i)ADMIN', ['admin', 'Admin'], ['root']], ['\\bops\\b', ['the ops team'], ['devops']], ['^\\w+\\s\\d{4}$', ['Zoë 2024'], ['Zoë-2024']],
    ['^[^a-c]+$', ['xyz'], ['xaz']], ['[]x]', [']', 'x'], ['y']], ['^[a\\-z]$', ['-', 'a'], ['b']], ['^(?:a|b)+?c$', ['abac'], ['abad']], ['^(?P<name>x)+$', ['xx'], ['y']], ['\\Aab\\Z', ['ab'], ['ab\n', 'xab']],
    ['^(a*)*$', ['', 'aaa'], ['b']], ['^\\x41\\u00e9$', ['Aé'], ['A']], ['a{x}', ['a{x}'], ['a']], ['^𝒳.$', ['𝒳𝒳'], ['𝒳']],
  ]
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.equal(found(pattern, text), true, `${pattern} in ${JSON.stringify(text)}`)
    for (const text of no) assert.equal(found(pattern, text), false, `${pattern} not in ${JSON.stringify(text)}`)
  }
})

test('what cannot be run without backtracking, or is no pattern, is refused with a reason', () => {
  for (const bad of ['(a', 'a)', '[a', '*a', 'a**', '(?=a)b', '(?<!a)b', '(a)\\1', '\\q', 'a\\', '[z-a]', '\\x4', `(${'a?'.repeat(1100)})`, 'a{2001}', '(a{100}){100}', '('.repeat(30) + ')'.repeat(30), 'x'.repeat(1025), 'a{3,2}']) {
    assert.throws(() => patternOf(bad), BadPattern, bad.slice(0, 40))
  }
})

test('patterns that make others backtrack for ever take as long as the text is', () => {
  for (const pattern of ['^(a+)+$', '^(a|aa)+$', '(a*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', 'a?'.repeat(100) + 'a'.repeat(100)]) {
    const fuel = { left: 5_000_000 }
    patternOf(pattern).found(`${'a'.repeat(5000)}!`, fuel)
    assert.ok(fuel.left > 0)
  }
  assert.throws(() => patternOf('(a?){500}b').found('a'.repeat(10_000), { left: 1000 }), OutOfFuel)
})

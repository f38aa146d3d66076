// Regular expressions from users: matched in time linear in the text, whatever the expression (all alternatives are walked at once), so
// that no filter can hang the server. What nova's databases understand: . [] () | * + ? {m,n} ^ $ and \d \w \s.
import { badRequest } from '#base/errors.ts'

type Test = (codePoint: number) => boolean
type Node =
  | { kind: 'char', test: Test } | { kind: 'start' } | { kind: 'end' } | { kind: 'empty' }
  | { kind: 'sequence', parts: Node[] } | { kind: 'either', parts: Node[] } | { kind: 'repeat', part: Node, min: number, max: number }
type Instruction = { op: 'char', test: Test } | { op: 'split', a: number, b: number } | { op: 'jump', to: number } | { op: 'start' } | { op: 'end' } | { op: 'match' }

/** Larger ones are refused; time is this times the length of the text. */
const largestProgram = 2000

const invalid = (pattern: string): Error => badRequest(`Invalid input for query parameters: '${pattern.slice(0, 60)}' is not a 'regex'`)
const isDigit: Test = (c) => c >= 48 && c <= 57
const isWord: Test = (c) => isDigit(c) || c === 95 || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c > 127
const isSpace: Test = (c) => c === 32 || (c >= 9 && c <= 13) || c === 160
const classes: Record<string, Test> = { d: isDigit, w: isWord, s: isSpace, D: (c) => !isDigit(c), W: (c) => !isWord(c), S: (c) => !isSpace(c) }
const controls: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11 }

function parse(pattern: string): Node {
  const text = [...pattern]
  let at = 0, depth = 0
  const bad = (): Error => invalid(pattern)

  function escape(): Test | number {
    const c = text[at++]
    if (c === undefined) throw bad()
    if (Object.hasOwn(classes, c)) return classes[c]!
    if (Object.hasOwn(controls, c)) return controls[c]!
    // Back references and assertions cannot be had in linear time.
    if (/[A-Za-z0-9]/.test(c)) throw bad()
    return c.codePointAt(0)!
  }
  function set(): Node {
    const negated = text[at] === '^'
    if (negated) at++
    const tests: Test[] = []
    for (let first = true; first || text[at] !== ']'; first = false) {
      if (at >= text.length) throw bad()
      let from: Test | number = text[at++]!.codePointAt(0)!
      if (from === 92) from = escape()
      if (typeof from === 'number' && text[at] === '-' && text[at + 1] !== undefined && text[at + 1] !== ']') {
        at++
        let to: Test | number = text[at++]!.codePointAt(0)!
        if (to === 92) to = escape()
        if (typeof to !== 'number' || to < from) throw bad()
        const low = from, high = to
        tests.push((c) => c >= low && c <= high)
      } else {
        const one = from
        tests.push(typeof one === 'number' ? (c) => c === one : one)
      }
    }
    at++
    return { kind: 'char', test: negated ? (c) => !tests.some((t) => t(c)) : (c) => tests.some((t) => t(c)) }
  }
  function atom(): Node {
    const c = text[at++]!
    if (c === '(') {
      if (++depth > 50) throw bad()
      if (text[at] === '?') { if (text[at + 1] !== ':') throw bad(); at += 2 }
      const inner = either()
      if (text[at++] !== ')') throw bad()
      depth--
      return inner
    }
    if (c === '[') return set()
    if (c === '.') return { kind: 'char', test: (x) => x !== 10 }
    if (c === '^') return { kind: 'start' }
    if (c === '$') return { kind: 'end' }
    if (c === '*' || c === '+' || c === '?') throw bad()
    const what = c === '\\' ? escape() : c.codePointAt(0)!
    return { kind: 'char', test: typeof what === 'number' ? (x) => x === what : what }
  }
  function repeated(): Node {
    let node = atom()
    for (;;) {
      const c = text[at]
      let min: number, max: number
      if (c === '*') { min = 0; max = Infinity; at++ } else if (c === '+') { min = 1; max = Infinity; at++ } else if (c === '?') { min = 0; max = 1; at++ } else if (c === '{') {
        const found = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(text.slice(at, at + 10).join(''))
        if (!found) return node
        min = Number(found[1]); max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3])
        if (max < min) throw bad()
        at += found[0].length
      } else {
        return node
      }
      // A lazy one finds the same texts.
      if (text[at] === '?') at++
      node = { kind: 'repeat', part: node, min, max }
    }
  }
  function sequence(): Node {
    const parts: Node[] = []
    while (at < text.length && text[at] !== '|' && text[at] !== ')') parts.push(repeated())
    return parts.length === 1 ? parts[0]! : parts.length === 0 ? { kind: 'empty' } : { kind: 'sequence', parts }
  }
  function either(): Node {
    const parts = [sequence()]
    while (text[at] === '|') { at++; parts.push(sequence()) }
    return parts.length === 1 ? parts[0]! : { kind: 'either', parts }
  }
  const whole = either()
  if (at < text.length) throw bad()
  return whole
}

function compile(node: Node, pattern: string): Instruction[] {
  const program: Instruction[] = []
  const emit = (instruction: Instruction): number => {
    if (program.length >= largestProgram) throw invalid(pattern)
    return program.push(instruction) - 1
  }
  function add(n: Node): void {
    switch (n.kind) {
      case 'empty': return
      case 'char': emit({ op: 'char', test: n.test }); return
      case 'start': case 'end': emit({ op: n.kind }); return
      case 'sequence': n.parts.forEach(add); return
      case 'either': {
        const ends: number[] = []
        n.parts.forEach((part, i) => {
          if (i === n.parts.length - 1) { add(part); return }
          const split = emit({ op: 'split', a: program.length + 1, b: 0 })
          add(part)
          ends.push(emit({ op: 'jump', to: 0 }))
          program[split] = { op: 'split', a: split + 1, b: program.length }
        })
        for (const end of ends) program[end] = { op: 'jump', to: program.length }
        return
      }
      case 'repeat': {
        for (let i = 0; i < n.min; i++) add(n.part)
        if (n.max === Infinity) {
          const split = emit({ op: 'split', a: 0, b: 0 })
          add(n.part)
          emit({ op: 'jump', to: split })
          program[split] = { op: 'split', a: split + 1, b: program.length }
        } else {
          const splits: number[] = []
          for (let i = n.min; i < n.max; i++) { splits.push(emit({ op: 'split', a: 0, b: 0 })); add(n.part) }
          for (const split of splits) program[split] = { op: 'split', a: split + 1, b: program.length }
        }
      }
    }
  }
  add(node)
  emit({ op: 'match' })
  return program
}

export interface Pattern {
  /** True when the expression matches anywhere in the text. */
  test(text: string): boolean
  /** Text that every match contains, for the database to search by first; empty when nothing is certain. */
  literal: string
}

/** Throws a 400 for what is no regular expression, or too large a one. */
export function patternOf(pattern: string): Pattern {
  if (pattern.length > 255) throw invalid(pattern)
  const literal = /^\^?([A-Za-z0-9_ :,@/=-]*)\$?$/.exec(pattern)?.[1] ?? ''
  const program = compile(parse(pattern), pattern)
  return { literal, test: (text) => run(program, text) }
}

function run(program: Instruction[], text: string): boolean {
  const points = [...text].map((c) => c.codePointAt(0)!), seen = new Int32Array(program.length).fill(-1)
  let threads: number[] = []
  for (let at = 0; at <= points.length; at++) {
    const here = [...threads, 0], next: number[] = []
    while (here.length > 0) {
      const pc = here.pop()!
      if (seen[pc] === at) continue
      seen[pc] = at
      const i = program[pc]!
      switch (i.op) {
        case 'match': return true
        case 'jump': here.push(i.to); break
        case 'split': here.push(i.b, i.a); break
        case 'start': if (at === 0) here.push(pc + 1); break
        case 'end': if (at === points.length) here.push(pc + 1); break
        case 'char': if (at < points.length && i.test(points[at]!)) next.push(pc + 1)
      }
    }
    threads = next
  }
  return false
}

// The regular expressions of mapping rules, run without backtracking: time is patterns × text, whoever wrote the one or the other.
// The notation is Python's `re` as far as it can be run so: no references to groups, no looking around.

type Test = (char: string) => boolean
type Node =
  | { is: 'char', test: Test }
  | { is: 'edge', at: 'start' | 'end' | 'veryEnd' | 'word' | 'notWord' }
  | { is: 'all', parts: Node[] }
  | { is: 'any', parts: Node[] }
  | { is: 'repeat', part: Node, min: number, max: number }

type Step = { is: 'char', test: Test } | { is: 'edge', at: string } | { is: 'fork', to: number[] } | { is: 'end' }

export interface Pattern {
  /** Is there a match anywhere in the text? Counts its steps down in `fuel` and throws OutOfFuel below zero. */
  found(text: string, fuel: Fuel): boolean
}
/** The steps that are left. */
export interface Fuel { left: number }
/** None is left. */
export class OutOfFuel extends Error {}
/** What is not in the notation; the message says what. */
export class BadPattern extends Error {}

const maxLength = 1024, maxSteps = 2000
const digit = /^\p{Nd}$/u, word = /^[\p{L}\p{N}_]$/u, space = /^\s$/u
const classes: Record<string, Test> = {
  d: (c) => digit.test(c), D: (c) => !digit.test(c), w: (c) => word.test(c), W: (c) => !word.test(c), s: (c) => space.test(c), S: (c) => !space.test(c),
}
const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', a: '\x07', 0: '\0' }

class Parser {
  readonly #text: string[]
  #at = 0
  ignoreCase = false
  constructor(text: string) { this.#text = [...text] }

  parse(): Node {
    while (this.#take('(?i)')) this.ignoreCase = true
    const node = this.#alternatives(0)
    if (this.#at < this.#text.length) throw new BadPattern('an unexpected )')
    return node
  }
  #take(word: string): boolean {
    if (this.#text.slice(this.#at, this.#at + word.length).join('') !== word) return false
    this.#at += word.length
    return true
  }
  #alternatives(depth: number): Node {
    if (depth > 20) throw new BadPattern('groups nested too deep')
    const parts = [this.#sequence(depth)]
    while (this.#take('|')) parts.push(this.#sequence(depth))
    return parts.length === 1 ? parts[0]! : { is: 'any', parts }
  }
  #sequence(depth: number): Node {
    const parts: Node[] = []
    while (this.#at < this.#text.length && this.#text[this.#at] !== '|' && this.#text[this.#at] !== ')') parts.push(this.#repeated(this.#atom(depth)))
    return { is: 'all', parts }
  }
  #repeated(part: Node): Node {
    const counted = /^\{(\d{0,4})(,?)(\d{0,4})\}/.exec(this.#text.slice(this.#at, this.#at + 12).join(''))
    let min: number, max: number
    if (this.#take('*')) [min, max] = [0, Infinity]
    else if (this.#take('+')) [min, max] = [1, Infinity]
    else if (this.#take('?')) [min, max] = [0, 1]
    else if (counted && (counted[1] || counted[3])) {
      this.#at += counted[0].length
      min = Number(counted[1] || 0)
      max = counted[2] ? (counted[3] ? Number(counted[3]) : Infinity) : min
      if (max < min) throw new BadPattern('a repetition with less at most than at least')
    } else return part
    // Lazy or not: whether there is a match is the same.
    this.#take('?')
    if (/[*+?]/.test(this.#text[this.#at] ?? '')) throw new BadPattern('a repetition of a repetition')
    return { is: 'repeat', part, min, max }
  }
  #atom(depth: number): Node {
    const char = this.#text[this.#at++]!
    switch (char) {
      case '.': return { is: 'char', test: (c) => c !== '\n' }
      case '^': return { is: 'edge', at: 'start' }
      case '$': return { is: 'edge', at: 'end' }
      case '[': return { is: 'char', test: this.#set() }
      case '\\': return this.#escaped()
      case '*': case '+': case '?': throw new BadPattern('nothing to repeat')
      case '(': {
        if (this.#take('?')) {
          if (this.#take('P<')) { while (this.#at < this.#text.length && this.#text[this.#at] !== '>') this.#at++; this.#at++ }
          else if (!this.#take(':')) throw new BadPattern('a kind of group that is not supported: only (…), (?:…), (?P<name>…), and (?i) at the start')
        }
        const inner = this.#alternatives(depth + 1)
        if (!this.#take(')')) throw new BadPattern('a group without its end')
        return inner
      }
      default: return { is: 'char', test: this.#literal(char) }
    }
  }
  #literal(char: string): Test {
    const lower = char.toLowerCase()
    return this.ignoreCase ? (c) => c.toLowerCase() === lower : (c) => c === char
  }
  #escaped(): Node {
    const next = this.#text[this.#at]
    if (next === 'b') { this.#at++; return { is: 'edge', at: 'word' } }
    if (next === 'B') { this.#at++; return { is: 'edge', at: 'notWord' } }
    if (next === 'A') { this.#at++; return { is: 'edge', at: 'start' } }
    if (next === 'Z') { this.#at++; return { is: 'edge', at: 'veryEnd' } }
    const meant = this.#escape()
    return { is: 'char', test: typeof meant === 'string' ? this.#literal(meant) : meant }
  }
  /** What follows a backslash: one character, or a class of them. */
  #escape(): string | Test {
    const char = this.#text[this.#at++]
    if (char === undefined) throw new BadPattern('a backslash at the end')
    if (Object.hasOwn(classes, char)) return classes[char]!
    if (Object.hasOwn(controls, char)) return controls[char]!
    const digits = char === 'x' ? 2 : char === 'u' ? 4 : 0
    if (digits > 0) {
      const hex = this.#text.slice(this.#at, this.#at += digits).join('')
      if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(hex)) throw new BadPattern(`\\${char} without its digits`)
      return String.fromCodePoint(Number.parseInt(hex, 16))
    }
    if (/[a-zA-Z0-9]/.test(char)) throw new BadPattern(`\\${char} is not supported`)
    return char
  }
  #set(): Test {
    const negated = this.#take('^'), tests: Test[] = []
    for (let first = true; ; first = false) {
      const char = this.#text[this.#at++]
      if (char === undefined) throw new BadPattern('a [ without its ]')
      if (char === ']' && !first) break
      const from = char === '\\' ? this.#escape() : char
      if (typeof from === 'string' && this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']' && this.#text[this.#at + 1] !== undefined) {
        this.#at++
        const end = this.#text[this.#at++]!, to = end === '\\' ? this.#escape() : end
        if (typeof to !== 'string' || to.codePointAt(0)! < from.codePointAt(0)!) throw new BadPattern('a bad range of characters')
        const within: Test = (c) => c.codePointAt(0)! >= from.codePointAt(0)! && c.codePointAt(0)! <= to.codePointAt(0)!
        tests.push(this.ignoreCase ? (c) => within(c.toLowerCase()) || within(c.toUpperCase()) : within)
      } else tests.push(typeof from === 'string' ? this.#literal(from) : from)
    }
    return (c) => tests.some((test) => test(c)) !== negated
  }
}

/** Steps that are followed side by side. */
function compile(node: Node, steps: Step[]): void {
  if (steps.length > maxSteps) throw new BadPattern('it is too large')
  const fork = (): { is: 'fork', to: number[] } => { const step = { is: 'fork' as const, to: [] as number[] }; steps.push(step); return step }
  switch (node.is) {
    case 'char': case 'edge': steps.push(node); return
    case 'all': for (const part of node.parts) compile(part, steps); return
    case 'any': {
      const start = fork(), ends: { to: number[] }[] = []
      for (const part of node.parts) { start.to.push(steps.length); compile(part, steps); ends.push(fork()) }
      for (const end of ends) end.to.push(steps.length)
      return
    }
    case 'repeat': {
      if (node.min > maxSteps || (node.max !== Infinity && node.max > maxSteps)) throw new BadPattern('it repeats too often')
      for (let i = 0; i < node.min; i++) compile(node.part, steps)
      if (node.max === Infinity) {
        const loop = fork(), at = steps.length - 1
        loop.to.push(steps.length)
        compile(node.part, steps)
        fork().to.push(at)
        loop.to.push(steps.length)
        return
      }
      const ways: { to: number[] }[] = []
      for (let i = node.min; i < node.max; i++) { const way = fork(); way.to.push(steps.length); ways.push(way); compile(node.part, steps) }
      for (const way of ways) way.to.push(steps.length)
    }
  }
}

/** Throws BadPattern for what is not in the notation or too large. */
export function patternOf(text: string): Pattern {
  if (text.length > maxLength) throw new BadPattern(`it is longer than ${maxLength} characters`)
  const parser = new Parser(text), steps: Step[] = []
  compile(parser.parse(), steps)
  steps.push({ is: 'end' })
  return { found: (value, fuel) => run(steps, [...value], fuel) }
}

function run(steps: Step[], text: string[], fuel: Fuel): boolean {
  let current: number[] = []
  const seenAt = new Int32Array(steps.length).fill(-1)
  const isWord = (i: number): boolean => text[i] !== undefined && word.test(text[i])
  const holds = (at: string, i: number): boolean => {
    switch (at) {
      case 'start': return i === 0
      case 'veryEnd': return i === text.length
      case 'end': return i === text.length || (i === text.length - 1 && text[i] === '\n')
      default: return (isWord(i - 1) !== isWord(i)) === (at === 'word')
    }
  }
  /** Adds a step and all that is reached from it without reading; true when that is the end. */
  const add = (into: number[], first: number, i: number): boolean => {
    const waiting = [first]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (seenAt[at] === i) continue
      if (--fuel.left < 0) throw new OutOfFuel()
      seenAt[at] = i
      const step = steps[at]!
      if (step.is === 'end') return true
      if (step.is === 'fork') waiting.push(...step.to)
      else if (step.is === 'char') into.push(at)
      else if (holds(step.at, i)) waiting.push(at + 1)
    }
    return false
  }
  for (let i = 0; i <= text.length; i++) {
    // Steps that were reached by reading, then a fresh start here: a match may begin anywhere.
    const reached: number[] = []
    for (const at of current) {
      if (--fuel.left < 0) throw new OutOfFuel()
      if ((steps[at] as { test: Test }).test(text[i - 1]!) && add(reached, at + 1, i)) return true
    }
    if (add(reached, 0, i)) return true
    current = reached
  }
  return false
}

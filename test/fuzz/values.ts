// Values that fit a schema, and values that fit nothing. A body is built as a tree that can say in JSON what JavaScript cannot hold: `Raw` text.
import type { Random } from './random.ts'

/** Stands in a tree for this very text. */
export class Raw {
  readonly text: string
  constructor(text: string) { this.text = text }
}
/** Keys that are written after an object's own: twice the same key, or one that an object cannot have. */
export const further = Symbol('further')

type Json = { [key: string]: any }
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Raw)

export function textOf(value: unknown): string {
  if (value instanceof Raw) return value.text
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (isObject(value)) {
    const own = Object.entries(value).filter(([, v]) => v !== undefined).map(([key, v]) => `${JSON.stringify(key)}:${textOf(v)}`)
    return `{${[...own, ...(value as { [further]?: string[] })[further] ?? []].join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

const nested = (open: string, close: string, deep: number): Raw => new Raw(open.repeat(deep) + close.repeat(deep))
const words = ['', ' ', 'a', 'None', 'null', 'true', '0', '-1', '1e9', 'default', 'admin', '../../etc/passwd', '%00', "' OR 1=1 --", '"; DROP TABLE x', '__proto__', 'constructor', 'toString', 'ünï ćode 💥', '\u0000', 'a\u0000b', '\ud800', '\u202e', '\r\nx: y',
  '2020-01-01T00:00:00Z', '9999-99-99', '0000-00-00T00:00:00', '+275760-09-13T00:00:00.001Z', 'http://127.0.0.1/', 'file:///etc/passwd', '::', '0.0.0.0/0', '10.0.0.0/33', '::1/129', 'ff:ff:ff:ff:ff:ff', '{}', '[]', '(', '(a+)+$', '%(user_id)s', '$(user_id)s', 'in:', 'in:a,b', 'neq:x', 'lt:', 'x'.repeat(64), 'x'.repeat(255), 'x'.repeat(256), '💥'.repeat(300), 'y'.repeat(70_000), 'YQ==', '!!!!', 'ssh-rsa AAAA', '00000000-0000-0000-0000-000000000000', 'f'.repeat(32)] as const
const hostile: unknown[] = [null, true, false, 0, -1, 1, 0.5, 2 ** 31, 2 ** 31 - 1, 2 ** 32, 2 ** 53, -(2 ** 63), 1e308, new Raw('1e999'), new Raw('-1e999'), new Raw('123456789012345678901234567890'), new Raw('-0'), new Raw('1e-400'), [], {}, [null], [[]], [{}], { a: { b: { c: [] } } },
  new Raw('{"__proto__":{"x":1}}'), new Raw('{"constructor":{"prototype":{"x":1}}}'), new Raw('"\\ud800"'), new Raw('"\\u0000"'), nested('[', ']', 60), nested('[', ']', 3000), nested('{"a":', '}', 40).text.replace('}', '1}'), Array.from({ length: 1500 }, (_x, i) => i), Array.from({ length: 300 }, () => 'a')]

export const hostileText = (random: Random): string => random.pick(words)
/** A copy through and through: what it is put into will be changed further, and must not grow from request to request. */
const own = (value: unknown): unknown => (Array.isArray(value) ? value.map(own) : isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, v]) => [key, own(v)])) : value)
export const hostileValue = (random: Random): unknown => (random.chance(0.4) ? hostileText(random) : own(random.pick(hostile)))

/** A value that fits the schema, mostly. */
export function valueOf(schema: any, random: Random, depth = 0): unknown {
  if (schema === undefined || schema === true || Object.keys(schema).length === 0 || depth > 8) return hostileValue(random)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return random.pick(schema.enum)
  const choice = schema.anyOf ?? schema.oneOf
  if (choice) return valueOf(random.pick(choice), random, depth + 1)
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((s: unknown) => valueOf(s, random, depth + 1)))
  const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type
  switch (type) {
    case 'object': {
      const out: Json = {}
      for (const [key, field] of Object.entries<any>(schema.properties ?? {})) if (schema.required?.includes(key) || random.chance(0.4)) out[key] = valueOf(field, random, depth + 1)
      for (const [pattern, field] of Object.entries(schema.patternProperties ?? {})) for (let i = random.below(3); i > 0; i--) out[/\[A-Z/.test(pattern) ? 'VCPU' : hostileText(random)] = valueOf(field, random, depth + 1)
      if (schema.additionalProperties !== false && random.chance(0.3)) out[hostileText(random).slice(0, 300)] = valueOf(typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined, random, depth + 1)
      return out
    }
    case 'array': {
      const least = schema.minItems ?? 0, items = Array.from({ length: Math.min(least + random.below(4), schema.maxItems ?? 10) }, () => valueOf(schema.items, random, depth + 1))
      return items
    }
    case 'integer': case 'number': {
      const low = schema.minimum ?? schema.exclusiveMinimum ?? -10, high = schema.maximum ?? schema.exclusiveMaximum ?? low + 1000
      return random.pick([low, high, Math.min(high, low + 1), low + random.below(Math.min(1e6, high - low + 1))])
    }
    case 'boolean': return random.chance(0.5)
    case 'null': return null
    case 'string': {
      if (schema.format === 'uuid') return `${random.below(2 ** 32).toString(16).padStart(8, '0')}-0000-4000-8000-${random.below(2 ** 32).toString(16).padStart(12, '0')}`
      const text = random.chance(0.5) ? `n${random.below(1e6)}` : hostileText(random)
      return schema.maxLength !== undefined && random.chance(0.7) ? text.slice(0, schema.maxLength) : text
    }
    default: return hostileValue(random)
  }
}

/** Changes one thing somewhere in the tree, which is its own to change. */
export function mutate(tree: unknown, random: Random): unknown {
  const slots: { holder: any, key: string | number }[] = [], objects: Json[] = []
  const walk = (value: unknown): void => {
    if (slots.length > 400 || typeof value !== 'object' || value === null || value instanceof Raw) return
    if (!Array.isArray(value)) objects.push(value)
    for (const [key, v] of Object.entries(value)) { slots.push({ holder: value, key }); walk(v) }
  }
  walk(tree)
  const object = objects.length > 0 ? random.pick(objects) : undefined, slot = slots.length > 0 ? random.pick(slots) : undefined
  const add = (text: string): void => { if (object) ((object as { [further]?: string[] })[further] ??= []).push(text) }
  switch (random.below(10)) {
    case 0: if (slot) delete slot.holder[slot.key]; return tree
    case 1: add(`${JSON.stringify(hostileText(random))}:${textOf(hostileValue(random))}`); return tree
    case 2: if (slot) add(`${JSON.stringify(String(slot.key))}:${textOf(random.chance(0.5) ? slot.holder[slot.key] : hostileValue(random))}`); return tree
    case 3: if (slot) slot.holder[slot.key] = random.chance(0.5) ? [slot.holder[slot.key]] : { a: slot.holder[slot.key] }; return tree
    case 4: return random.chance(0.2) ? hostileValue(random) : tree
    default: if (slot) slot.holder[slot.key] = hostileValue(random); return tree
  }
}

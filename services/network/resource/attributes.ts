// A resource's attributes as a table: what a request may carry, who may set and see it, what can be filtered and sorted by. Neutron's API
// is the same for every collection but for this table.
import { anyone, type Rule, type Target } from '#kit/policy/rules.ts'
import { nullable, Type, type TSchema } from '#kit/http/schema.ts'
import type { Actor } from '#base/context.ts'
import { admin } from '../policy.ts'
import { notAuthorized } from '../faults.ts'
import type { Kind } from './kinds.ts'

export interface Attribute<V = any> {
  kind: Kind<V>
  /** Who may give it when creating, and when updating; nobody when absent. */
  post?: Rule
  put?: Rule
  required?: boolean
  /** What stands when it is not given. Giving just that needs no right. */
  fallback?: V
  /** Hidden from everybody else. */
  see?: Rule
  /** The row's column: can be filtered and sorted by. */
  column?: string
  /** Filtered by the noun's own SQL. */
  filter?: boolean
}
export type Attributes = Record<string, Attribute>
/** What handlers get: values as they are kept, only those that were given. */
export type Values<A extends Attributes> = { [K in keyof A]?: A[K] extends Attribute<infer V> ? V : never }

/** An attribute that anyone who may create may give, and anyone who may update may change. */
export const free = <V>(kind: Kind<V>, more: Partial<Attribute<V>> = {}): Attribute<V> => ({ kind, post: anyone, put: anyone, ...more })
/** Given once, at creation. */
export const once = <V>(kind: Kind<V>, more: Partial<Attribute<V>> = {}): Attribute<V> => ({ kind, post: anyone, ...more })
export const adminOnly = <V>(kind: Kind<V>, more: Partial<Attribute<V>> = {}): Attribute<V> => ({ kind, post: admin, put: admin, ...more })
export const readOnly = <V>(kind: Kind<V>, more: Partial<Attribute<V>> = {}): Attribute<V> => ({ kind, ...more })

/** The body's schema: `{port: {…}}`, or many at once as `{ports: [{…}]}`, each of them as it is or as `{port: {…}}` again. */
export function bodySchema(attributes: Attributes, verb: 'post' | 'put', one: string, many?: string): TSchema {
  const properties: Record<string, TSchema> = {}
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!attribute[verb]) continue
    properties[name] = attribute.required && verb === 'post' ? attribute.kind.schema : Type.Optional(attribute.kind.schema)
  }
  const object = Type.Object(properties, { additionalProperties: false })
  if (!many) return Type.Object({ [one]: object }, { additionalProperties: false })
  return Type.Object({ [one]: Type.Optional(object), [many]: Type.Optional(Type.Array(Type.Union([object, Type.Object({ [one]: object }, { additionalProperties: false })]), { minItems: 1 })) }, { additionalProperties: false })
}

/** What clients send leniently ("True", "4") becomes what it means. */
export function convert<A extends Attributes>(attributes: A, given: Record<string, unknown>): Values<A> {
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const { convert } = attributes[name]!.kind
    values[name] = convert && value !== null ? convert(value) : value
  }
  return values as Values<A>
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** Refuses attributes that this caller may not set. On creation a value equal to the default counts as not given, as in neutron. */
export function allowAttributes(attributes: Attributes, verb: 'post' | 'put', operation: string, values: Record<string, unknown>, actor: Actor, target: Target): void {
  for (const [name, value] of Object.entries(values)) {
    const attribute = attributes[name]!
    if (verb === 'post' && attribute.fallback !== undefined && same(value, attribute.fallback)) continue
    if (!attribute[verb]!.allows(actor, target)) throw notAuthorized(`(rule:${operation} and rule:${operation}:${name})`)
  }
}

/** Picks what this caller sees, and of that what was asked for. */
export function viewer(attributes: Attributes, actor: Actor, fields: string[] = []): (view: Record<string, unknown>) => Record<string, unknown> {
  const hidden = new Set(Object.entries(attributes).filter(([, a]) => a.see && !a.see.allows(actor)).map(([name]) => name))
  const wanted = fields.filter((name) => name !== '')
  if (hidden.size === 0 && wanted.length === 0) return (view) => view
  const chosen = wanted.length > 0 ? new Set(wanted) : undefined
  return (view) => {
    const out: Record<string, unknown> = {}
    for (const name in view) if (!hidden.has(name) && (chosen === undefined || chosen.has(name))) out[name] = view[name]
    return out
  }
}

export const orNull = nullable

// Request schemas: typebox, with versions on fields, compiled when first used, and errors that name the field and the reason.
import { IsOptional, Type, type Static, type TSchema, type TProperties, type TObject } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Fault } from '#base/errors.ts'

export { Type }
export type { Static, TSchema, TProperties, TObject }

/** An object that refuses unknown keys, as nearly all of OpenStack's bodies do. */
export const exact = <P extends TProperties>(properties: P, options: object = {}): TObject<P> => Type.Object(properties, { additionalProperties: false, ...options })
/** An object that lets unknown keys pass: many of OpenStack's query strings. */
export const lenient = <P extends TProperties>(properties: P, options: object = {}): TObject<P> => Type.Object(properties, { additionalProperties: true, ...options })
/** A field that exists from one microversion on (and up to another): `since('2.19', Type.Optional(Type.String()))`. */
export const since = <S extends TSchema>(version: string, schema: S, until?: string): S =>
  // typebox keeps "optional" in a hidden property, which a spread would lose.
  Object.defineProperties({}, {
    ...Object.getOwnPropertyDescriptors(schema),
    since: { value: version, enumerable: true }, ...(until && { until: { value: until, enumerable: true } }),
  }) as S
/** A field whose shape itself changed: the newest entry not above the asked version counts, null where the field does not exist. In each entry
 * `Type.Optional` says whether it may be left out: `reshaped({ '2.1': Type.Optional(A), '2.37': B })`. */
export const reshaped = <const V extends Record<string, TSchema | null>>(byVersion: V) =>
  Type.Optional({ ...Type.Unknown(), versions: byVersion } as unknown as import('typebox').TUnsafe<Static<Extract<V[keyof V], TSchema>>>)
/** An object that lets unknown keys pass before this version and refuses them from it on: query strings above all. */
export const exactSince = <P extends TProperties>(version: string, properties: P): TObject<P> => lenient(properties, { exactSince: version })
/** The schema, or null. */
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
/** One of these words. */
export const oneOf = <const V extends readonly string[]>(...values: V) => Type.Union(values.map((v) => Type.Literal(v))) as unknown as import('typebox').TUnsafe<V[number]>

/** Versions as numbers that compare: '2.19' → 2019. Zero for services without microversions. */
export const versionNumber = (version: string): number => { const [major, minor] = version.split('.'); return Number(major) * 1000 + Number(minor) }

type Json = { [key: string]: any }

/** The schema as it stood at a version: later and dead fields are taken out. */
function at(schema: any, version: number): any {
  if (Array.isArray(schema)) return schema.map((s) => at(s, version))
  if (typeof schema !== 'object' || schema === null) return schema
  const out: Json = {}
  const required = new Set<string>(Array.isArray(schema.required) ? schema.required : [])
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'since' || key === 'until' || key === 'exactSince') continue
    if (key === 'properties') {
      out.properties = {}
      for (const [name, field] of Object.entries(value as Json)) {
        if (field.since && versionNumber(field.since) > version) continue
        if (field.until && versionNumber(field.until) < version) continue
        const shape = field.versions ? shapeAt(field.versions, version) : field
        if (shape === undefined) continue
        if (field.versions && !IsOptional(shape)) required.add(name)
        out.properties[name] = at(shape, version)
      }
    } else {
      out[key] = typeof value === 'object' ? at(value, version) : value
    }
  }
  if (out.properties && required.size > 0) out.required = [...required].filter((name) => Object.hasOwn(out.properties, name))
  if (schema.exactSince && versionNumber(schema.exactSince) <= version) out.additionalProperties = false
  return out
}

function shapeAt(versions: Record<string, TSchema | null>, version: number): TSchema | undefined {
  let found: TSchema | null | undefined
  for (const [from, shape] of Object.entries(versions)) if (versionNumber(from) <= version) found = shape
  return found ?? undefined
}

/** The versions at which anything in the schema changes. */
function boundaries(schema: any, into = new Set<number>()): Set<number> {
  if (typeof schema !== 'object' || schema === null) return into
  if (typeof schema.since === 'string') into.add(versionNumber(schema.since))
  if (typeof schema.until === 'string') into.add(versionNumber(schema.until) + 1)
  if (typeof schema.exactSince === 'string') into.add(versionNumber(schema.exactSince))
  if (schema.versions && !schema.type) for (const from of Object.keys(schema.versions)) into.add(versionNumber(from))
  for (const value of Object.values(schema)) boundaries(value, into)
  return into
}

/** `Type.Record` says nothing of keys that its pattern does not match, and typebox's own for any string matches none with a line break: such a key
 * would bring a value that nobody checked. It is refused instead. An integer without bounds takes 1e308, which no column holds. */
function closeGaps(schema: any): void {
  if (typeof schema !== 'object' || schema === null) return
  if (schema.type === 'integer' && schema.maximum === undefined && schema.exclusiveMaximum === undefined) schema.maximum = Number.MAX_SAFE_INTEGER
  if (schema.type === 'integer' && schema.minimum === undefined && schema.exclusiveMinimum === undefined) schema.minimum = Number.MIN_SAFE_INTEGER
  if (schema.patternProperties && !Array.isArray(schema)) schema.additionalProperties ??= false
  // A property may be called like one of JSON schema's words.
  for (const [key, value] of Object.entries<any>(schema)) if (key === 'properties') Object.values(value).forEach(closeGaps); else closeGaps(value)
}

/** A schema for every version of an operation; compiles one per stretch of versions that look the same. */
export class VersionedSchema {
  readonly schema: TSchema
  #boundaries: number[] | undefined
  readonly #compiled = new Map<number, { schema: TSchema, validator: Validator<any, any> }>()

  constructor(schema: TSchema) { this.schema = schema }

  /** The versions at which it changes. Looked for when first asked: most operations of a process are never called. */
  #changes(): number[] {
    if (!this.#boundaries) closeGaps(this.schema)
    return this.#boundaries ??= [...boundaries(this.schema)].sort((a, b) => a - b)
  }

  /** The schema as it stood at a version: for documents, which need no validator. */
  shapeAt(version: number): TSchema {
    return this.#changes().length === 0 ? this.schema : at(this.schema, version) as TSchema
  }

  at(version: number): { schema: TSchema, validator: Validator<any, any> } {
    let from = 0
    for (const b of this.#changes()) if (b <= version) from = b
    let known = this.#compiled.get(from)
    if (!known) {
      const schema = this.shapeAt(version)
      this.#compiled.set(from, known = { schema, validator: Compile(schema) })
    }
    return known
  }
}

/** What is wrong with a request's form, for services that say it in words of their own. */
export interface Problem {
  part: 'query' | 'body' | 'json'
  /** Without saying where. */
  reason: string
  /** The rule that is broken, and where: JSON Schema's keyword, and the keys that lead there. Neither for what is no JSON at all. */
  keyword?: string
  path?: string[]
}
/** The 400 for a request that has not the form it must have. */
export class Invalid extends Fault {
  readonly problem: Problem
  constructor(message: string, problem: Problem) {
    super('badRequest', message)
    this.problem = problem
  }
}

interface SchemaError { keyword: string, instancePath: string, params: Json, message: string }

function reason(error: SchemaError, value: unknown): string {
  switch (error.keyword) {
    case 'type': return `${show(value)} is not of type ${[error.params.type].flat().map((t: string) => `'${t}'`).join(', ')}`
    case 'minLength': return value === '' ? `'' is too short` : `${show(value)} is too short`
    case 'maxLength': return `${show(value)} is too long`
    case 'pattern': return `${show(value)} does not match '${error.params.pattern}'`
    case 'format': return `${show(value)} is not a '${error.params.format}'`
    case 'minimum': return `${show(value)} is less than the minimum of ${error.params.limit}`
    case 'maximum': return `${show(value)} is greater than the maximum of ${error.params.limit}`
    case 'minItems': return `${show(value)} is too short`
    case 'maxItems': return `${show(value)} is too long`
    case 'uniqueItems': return `${show(value)} has non-unique elements`
    case 'minProperties': return `${show(value)} does not have enough properties`
    case 'maxProperties': return `${show(value)} has too many properties`
    case 'const': case 'enum': return `${show(value)} is not one of the allowed values`
    case 'anyOf': case 'oneOf': return `${show(value)} is not valid under any of the given schemas`
    default: return error.message
  }
}
const show = (value: unknown): string => {
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value) ?? 'undefined'
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}
const pathOf = (pointer: string): string[] => pointer.split('/').slice(1).map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'))
const valueAt = (root: unknown, path: string[]): unknown => path.reduce<any>((v, key) => (v !== null && typeof v === 'object' && Object.hasOwn(v, key) ? v[key] : undefined), root)

/** A 400 that names the field and what is wrong with it, in the words OpenStack's services use. */
export function invalid(errors: SchemaError[], value: unknown, part: Problem['part'] = 'body'): Error {
  const missing = errors.find((e) => e.keyword === 'required')
  const unknown = errors.find((e) => e.keyword === 'additionalProperties')
  // The deepest error says most; a failed union is told as a whole only when none of its branches came further.
  const depth = (e: SchemaError): number => pathOf(e.instancePath).length
  const isUnion = (e: SchemaError): boolean => e.keyword === 'anyOf' || e.keyword === 'oneOf'
  const ranked = errors.filter((e) => e.keyword !== 'boolean' && e !== unknown).sort((a, b) => depth(b) - depth(a) || Number(isUnion(b)) - Number(isUnion(a)))
  const first = ranked[0]
  if (unknown && (!first || depth(unknown) >= depth(first) || !missing)) {
    const names = (unknown.params.additionalProperties as string[]).slice(0, 5).map((n) => `'${n.slice(0, 60)}'`).join(', ')
    const more = `Additional properties are not allowed (${names} ${(unknown.params.additionalProperties as string[]).length > 1 ? 'were' : 'was'} unexpected)`
    return new Invalid(more + where(unknown.instancePath), { part, reason: more, keyword: unknown.keyword, path: pathOf(unknown.instancePath) })
  }
  if (first === undefined) return new Invalid('Invalid input', { part, reason: 'Invalid input' })
  const path = pathOf(first.instancePath), found = valueAt(value, path), { keyword } = first
  if (keyword === 'required') {
    const missed = `'${(first.params.requiredProperties as string[])[0]}' is a required property`
    return new Invalid(missed + where(first.instancePath), { part, reason: missed, keyword, path })
  }
  const why = reason(first, found)
  return new Invalid(`Invalid input for field/attribute ${path.at(-1) ?? 'body'}. Value: ${show(found).replace(/^'(.*)'$/, '$1')}. ${why}`, { part, reason: why, keyword, path })
}
const where = (pointer: string): string => (pointer ? ` in ${pathOf(pointer).join('.')}` : '')

/** Throws the 400 unless the value fits. */
export function check(schema: VersionedSchema, version: number, value: unknown, part: Problem['part'] = 'body'): void {
  const { validator } = schema.at(version)
  if (!validator.Check(value)) throw invalid([...validator.Errors(value)] as unknown as SchemaError[], value, part)
}

/** Query strings carry text only: each value becomes what its field declares. What does not parse stays text, and validation names it. */
export function parseQuery(schema: TSchema | undefined, search: URLSearchParams): Json {
  const properties = (schema as { properties?: Record<string, any> } | undefined)?.properties ?? {}
  const out: Json = Object.create(null)
  for (const key of new Set(search.keys())) {
    const values = search.getAll(key), field = properties[key]
    if (field?.type === 'array') out[key] = values.map((v) => scalar(field.items, v))
    // Undeclared keys (filters by extra property, tags) and those marked `repeats` are all kept when repeated; other declared ones: the last counts.
    else out[key] = (field === undefined || field.repeats) && values.length > 1 ? values : scalar(field, values.at(-1)!)
  }
  return out
}
function scalar(field: any, text: string): unknown {
  if (field?.type === 'integer' && /^[+-]?\d{1,15}$/.test(text)) return Number(text)
  if (field?.type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (field?.type === 'boolean') {
    if (/^(true|1|yes|on|t|y)$/i.test(text)) return true
    if (/^(false|0|no|off|f|n)$/i.test(text)) return false
  }
  return text
}

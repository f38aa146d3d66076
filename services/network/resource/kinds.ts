// Kinds of attribute values: their schema on the wire, and how a lenient spelling becomes the value.
import { Type, type TSchema } from '#kit/http/schema.ts'
import { invalidInput, malformed } from '../faults.ts'
import { formatIp, parseIp } from '../ipam/ip.ts'

export interface Kind<V> {
  schema: TSchema
  convert?(value: any): V
  /** How a filter's text is compared with the column. */
  sql: 'text' | 'boolean' | 'integer'
}
const kind = <V>(schema: TSchema, convert?: (value: any) => V, sql: Kind<V>['sql'] = 'text'): Kind<V> => ({ schema, sql, ...(convert && { convert }) })
const raw = (schema: object): TSchema => Type.Unsafe<unknown>(schema)

export const text = (max = 255): Kind<string> => kind(raw({ type: 'string', maxLength: max }))
/** Text where null means empty, as neutron's `string_or_none` with a convert. */
export const textOrNull = (max = 255): Kind<string | null> => kind(raw({ type: ['string', 'null'], maxLength: max }))

/** What the bus can address, or nothing. */
export const hostOrNull: Kind<string | null> = kind(raw({ anyOf: [{ type: 'string', maxLength: 160, pattern: '^([A-Za-z0-9][A-Za-z0-9_.:-]*)?$' }, { type: 'null' }] }))

const truths = ['true', 'True', 'TRUE', '1'], lies = ['false', 'False', 'FALSE', '0']
export const isTrue = (value: unknown): boolean => value === true || value === 1 || truths.includes(value as string)
export const boolean: Kind<boolean> = kind(raw({ anyOf: [{ type: 'boolean' }, { enum: [0, 1, ...truths, ...lies] }] }), isTrue, 'boolean')

export const integer = (min: number, max: number): Kind<number> => kind(raw({ anyOf: [{ type: 'integer', minimum: min, maximum: max }, { type: 'string', pattern: '^[+-]?\\d{1,12}$' }] }), (value) => {
  const number = Number(value)
  if (number < min || number > max) throw malformed(`Invalid input: ${String(value)} is not between ${min} and ${max}.`)
  return number
}, 'integer')
export const integerOrNull = (min: number, max: number): Kind<number | null> => {
  const plain = integer(min, max)
  return { ...plain, schema: raw({ anyOf: [plain.schema, { type: 'null' }] }) }
}

const uuidPattern = '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
const uuidSchema = { type: 'string', pattern: uuidPattern }
export const uuid: Kind<string> = kind(raw(uuidSchema))
export const uuidOrNull: Kind<string | null> = kind(raw({ anyOf: [uuidSchema, { type: 'null' }] }))
export const uuids: Kind<string[]> = kind(raw({ anyOf: [{ type: 'array', items: uuidSchema, maxItems: 1000, uniqueItems: true }, { type: 'null' }] }))
/** keystone's ids carry no dashes; they are taken as they are. */
export const projectId: Kind<string> = kind(raw({ type: 'string', maxLength: 64 }))

const macPattern = '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$'
export const mac: Kind<string> = kind(raw({ type: 'string', pattern: macPattern }), (value: string) => {
  const lower = value.toLowerCase()
  if ((Number.parseInt(lower.slice(0, 2), 16) & 1) === 1 || lower === '00:00:00:00:00:00') throw malformed(`Invalid input for mac_address. Reason: '${value}' is not a valid MAC address.`)
  return lower
})

/** Canonical text of an address, or a 400. */
export function address(value: string): string {
  const ip = parseIp(value)
  if (!ip) throw malformed(`'${value.slice(0, 60)}' is not a valid IP address.`)
  return formatIp(ip)
}
export const ip: Kind<string> = kind(raw({ type: 'string', maxLength: 64 }), address)
export const ipOrNull: Kind<string | null> = kind(raw({ type: ['string', 'null'], maxLength: 64 }), address)

export const choice = <const V extends readonly (string | null)[]>(...values: V): Kind<V[number]> => kind(raw({ enum: values }))
export const list = <V>(schema: object, convert?: (value: any) => V[]): Kind<V[]> => kind(raw({ anyOf: [{ type: 'array', items: schema, maxItems: 1000 }, { type: 'null' }] }), convert)
export const object = <V = Record<string, unknown>>(schema: object = { type: 'object' }): Kind<V> => kind(raw(schema))
export const shapes = { uuid: uuidSchema, ip: { type: 'string', maxLength: 64 }, mac: { type: 'string', pattern: macPattern } }

/** Read-only values need no schema; the kind only says how filters compare. */
export const shown = kind<never>(raw({}))
export const shownInteger = kind<never>(raw({}), undefined, 'integer')
export const shownBoolean = kind<never>(raw({}), undefined, 'boolean')
export const refuse = invalidInput

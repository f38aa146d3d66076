// The kinds of fields compute's requests are made of, with nova's leniencies (numbers and booleans as text).
import { badRequest } from '#base/errors.ts'
import { Type } from '#kit/http/schema.ts'

const uuidPattern = '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$'
export const uuid = Type.String({ pattern: uuidPattern })
/** Printable, neither beginning nor ending with a space. */
export const name = Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s)[^\\p{C}\\p{Zl}\\p{Zp}]*(?<!\\s)$' })
export const description = Type.Union([Type.String({ maxLength: 255, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' }), Type.Null()])
export const zoneName = Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s)[^:\\p{C}\\p{Zl}\\p{Zp}]*(?<!\\s)$' })
export const hostName = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' })
export const projectId = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-]*$' })
export const ipAddress = Type.Unsafe<string>({ type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] })
export const metadata = Type.Unsafe<Record<string, string>>({ type: 'object', patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: 'string', maxLength: 255 } }, additionalProperties: false })
/** A value of null takes the key away. */
export const metadataChanges = Type.Unsafe<Record<string, string | null>>({ type: 'object', patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: ['string', 'null'], maxLength: 255 } }, additionalProperties: false })
export const tag = Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$' })
/** A whole number, or one written as text. */
export const wholeNumber = (minimum: number, maximum = 0x7FFFFFFF) => Type.Unsafe<number | string>({ type: ['integer', 'string'], pattern: '^-?[0-9]+$', minLength: 1, minimum, maximum })
export const boolean = Type.Unsafe<boolean | string>({ enum: [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no'] })
/** What an action carries that needs nothing: nova takes any value there. */
export const anything = Type.Unsafe<unknown>({})
export const hints = Type.Unsafe<Record<string, unknown>>({ type: 'object', properties: {
  group: { anyOf: [{ type: 'string', pattern: uuidPattern }, { type: 'array', items: { type: 'string', pattern: uuidPattern } }] },
  different_host: { anyOf: [{ type: 'string', pattern: uuidPattern }, { type: 'array', items: { type: 'string', pattern: uuidPattern } }] },
  same_host: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string', pattern: uuidPattern } }] },
  query: { type: ['string', 'object'] },
} })

/** Of a field of kind `boolean`. */
export const isTrue = (value: boolean | string | undefined, otherwise = false): boolean =>
  value === undefined ? otherwise : typeof value === 'boolean' ? value : /^(true|1|on|yes)$/i.test(value)

/** Of a field of kind `wholeNumber`: the schema checks numbers, text is checked here. */
export function asNumber(field: string, value: number | string, minimum: number, maximum = 0x7FFFFFFF): number {
  const number = Number(value)
  if (number < minimum) throw badRequest(`Invalid input for field/attribute ${field}. Value: ${value}. ${value} is less than the minimum of ${minimum}`)
  if (number > maximum) throw badRequest(`Invalid input for field/attribute ${field}. Value: ${value}. ${value} is greater than the maximum of ${maximum}`)
  return number
}

const instant = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$/i

/** A moment as users write it (ISO 8601; without a zone it is UTC), as we keep it. */
export function asInstant(field: string, text: string): string {
  const given = text.trim(), zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(given.slice(10)) ? given : given.length === 10 ? `${given}T00:00:00Z` : `${given}Z`
  const at = instant.test(given) ? Date.parse(zoned.replace(' ', 'T').replace(',', '.')) : NaN
  if (!Number.isFinite(at)) throw badRequest(`Invalid input for query parameters ${field}. Value: ${text.slice(0, 60)}. '${text.slice(0, 60)}' is not a 'date-time'`)
  return new Date(at).toISOString()
}

/** An IPv6 address in its one canonical spelling (RFC 5952); the schema has made sure that it is one. */
export const canonicalIpV6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1)

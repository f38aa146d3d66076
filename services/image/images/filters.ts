// What a list of images may be asked for, in glance's notation: `name=in:a,b`, `created_at=gt:2026-01-01T00:00:00Z`, `size_min=1`.
import { badRequest } from '#base/errors.ts'
import type { ImageRow } from '../schema.ts'
import type { ImageQuery } from './list-store.ts'

/** By the wire's names: compared with one value, or with several by `in:`. */
const listed: Record<string, keyof ImageRow> = { id: 'id', name: 'name', status: 'status', container_format: 'containerFormat', disk_format: 'diskFormat' }
const exact: Record<string, keyof ImageRow> = { owner: 'ownerId', checksum: 'checksum', os_hash_algo: 'osHashAlgo', os_hash_value: 'osHashValue' }
const amounts: Record<string, keyof ImageRow> = { size: 'size', virtual_size: 'virtualSize', min_ram: 'minRamMib', min_disk: 'minDiskGib' }
const instants: Record<string, 'createdAt' | 'updatedAt'> = { created_at: 'createdAt', updated_at: 'updatedAt' }
/** Answered by the list itself. */
const other = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status', 'tag', 'os_hidden', 'protected', 'deleted'])
const own = <T>(table: Record<string, T>, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined)

/** The values after `in:`, separated by commas; one in quotes may hold any. */
function valuesIn(list: string): string[] {
  const values: string[] = []
  // Each value with the comma before it; what is left over is no list.
  let rest = `,${list}`
  while (rest !== '') {
    const match = /^,(?:"((?:[^"\\]|\\.)*)"|([^",]*))(?=,|$)/.exec(rest)
    if (!match) throw badRequest(`Invalid filter value ${list.slice(0, 80)}: the quotes are not balanced.`)
    values.push(match[1] === undefined ? match[2]! : match[1].replace(/\\(.)/g, '$1'))
    rest = rest.slice(match[0].length)
  }
  if (values.length > 1000) throw badRequest('Invalid filter value: more than 1000 values.')
  return values
}

const operators: Record<string, ImageQuery['compared'][number]['op']> = { eq: '=', neq: '!=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** `in:` and `eq:` are operators, the words that compare instants are none here; any other colon belongs to the value. */
function textValues(value: string): string[] {
  const colon = value.indexOf(':'), word = colon < 0 ? '' : value.slice(0, colon)
  if (word === 'in') return valuesIn(value.slice(3))
  if (word === 'eq') return [value.slice(3)]
  if (own(operators, word)) throw badRequest(`Unable to filter by unknown operator '${word}'.`)
  return [value]
}

const isoInstant = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/
const zone = /(Z|[+-]\d\d:?\d\d)$/
/** Epoch milliseconds; NaN for what is no instant. Without a zone it is UTC, without a time midnight. */
function parsedInstant(text: string): number {
  if (!isoInstant.test(text)) return NaN
  const day = text.slice(0, 10), rest = text.slice(10)
  return Date.parse(zone.test(rest) ? text : `${day}T${rest.slice(1) || '00:00:00'}Z`)
}

function instant(column: 'createdAt' | 'updatedAt', value: string): ImageQuery['compared'][number] {
  const colon = value.indexOf(':'), op = colon < 0 ? undefined : own(operators, value.slice(0, colon))
  const text = (op ? value.slice(colon + 1) : value).trim()
  const at = parsedInstant(text)
  if (Number.isNaN(at)) throw badRequest(`Bad "${column === 'createdAt' ? 'created_at' : 'updated_at'}" query filter format. Use ISO 8601 DateTime notation.`)
  return { column, op: op ?? '=', value: new Date(at).toISOString() }
}

/** Instants are shown by whole seconds, so that is what they are compared by. */
function bySeconds({ column, op, value }: ImageQuery['compared'][number]): ImageQuery['compared'][number] {
  const second = String(value).slice(0, 19)
  if (op === '=' || op === '!=') return { column, op: op === '=' ? 'like' : 'not like', value: `${second}%` }
  return { column, op, value: op === '>' || op === '<=' ? `${second}.999Z` : `${second}.000Z` }
}

const amount = (name: string, value: string): number => {
  if (!/^\d{1,15}$/.test(value.trim())) throw badRequest(`Unable to filter on a range with a non-numeric value. (${name})`)
  return Number(value)
}

/** `true` or `false` and nothing else. */
export function truthOf(name: string, value: string): boolean {
  const word = value.toLowerCase()
  if (word !== 'true' && word !== 'false') throw badRequest(`Invalid value '${value.slice(0, 60)}' for '${name}' filter. Valid values are 'true' or 'false'.`)
  return word === 'true'
}

/** The filters in a query string. What glance has no name for is a property of the user's. */
export function filtersOf(search: URLSearchParams): Pick<ImageQuery, 'equal' | 'compared' | 'tags' | 'properties'> {
  const equal: ImageQuery['equal'] = {}, compared: ImageQuery['compared'] = [], properties: ImageQuery['properties'] = []
  for (const [name, value] of search) {
    const bound = /^(.+)_(min|max)$/.exec(name), bounded = bound && own(amounts, bound[1]!), at = own(instants, name)
    if (other.has(name)) continue
    else if (name === 'changes-since') throw badRequest('The "changes-since" filter is no longer available on v2.')
    else if (own(listed, name)) equal[listed[name]!] = textValues(value)
    else if (own(exact, name)) equal[exact[name]!] = [value]
    else if (own(amounts, name)) equal[amounts[name]!] = [amount(name, value)]
    else if (bounded) compared.push({ column: bounded, op: bound[2] === 'min' ? '>=' : '<=', value: amount(name, value) })
    else if (at) compared.push(bySeconds(instant(at, value)))
    else properties.push([name, value])
  }
  if (properties.length > 50 || compared.length > 50) throw badRequest('At most 50 properties, and 50 bounds, may be filtered by.')
  const tags = search.getAll('tag').map((tag) => tag.trim())
  if (tags.length > 50) throw badRequest('At most 50 tags may be filtered by.')
  return { equal, compared, tags, properties }
}

const sortable: Record<string, keyof ImageRow> = {
  name: 'name', status: 'status', container_format: 'containerFormat', disk_format: 'diskFormat', size: 'size', id: 'id', created_at: 'createdAt', updated_at: 'updatedAt',
}

/** `sort=name:asc,size` or `sort_key=name&sort_dir=asc`, repeated; at the end always what makes the order total. */
export function sortOf(search: URLSearchParams): ImageQuery['page']['sort'] {
  const keys: string[] = [], directions: string[] = []
  if (search.has('sort')) {
    if (search.has('sort_key') || search.has('sort_dir')) throw badRequest('Old and new sorting syntax cannot be combined')
    for (const part of search.get('sort')!.trim().split(',')) {
      const [key, direction] = part.split(':')
      keys.push(key!.trim())
      directions.push(direction?.trim() || 'desc')
    }
  } else {
    keys.push(...search.getAll('sort_key').map((key) => key.trim()))
    directions.push(...search.getAll('sort_dir').map((direction) => direction.trim()))
    if (directions.length > 1 && directions.length !== keys.length) throw badRequest('Number of sort dirs does not match the number of sort keys')
  }
  if (keys.length > 20) throw badRequest('At most 20 sort keys may be given.')
  for (const direction of directions) if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction.slice(0, 60)}`)
  const sort: ImageQuery['page']['sort'] = (keys.length === 0 ? ['created_at'] : keys).map((key, i) => {
    const column = own(sortable, key)
    if (!column) throw badRequest(`Invalid sort key: ${key.slice(0, 60)}. It must be one of the following: ${Object.keys(sortable).join(', ')}.`)
    return { column, direction: (directions[i] ?? directions[0] ?? 'desc') as 'asc' | 'desc' }
  })
  for (const column of ['createdAt', 'id'] as const) if (!sort.some((s) => s.column === column)) sort.push({ column, direction: sort[0]!.direction })
  return sort
}

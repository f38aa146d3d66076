// Neutron's list queries: filters on every attribute, `fields`, sorting, paging by marker in both directions.
import type { Actor } from '#base/context.ts'
import { Type, type TSchema } from '#kit/http/schema.ts'
import { nextUrl } from '#kit/http/paging.ts'
import type { Urls } from '#kit/http/operation.ts'
import { malformed } from '../faults.ts'
import { isTrue } from './kinds.ts'
import type { Noun } from './noun.ts'

export interface Question {
  /** By attribute; any of the values. */
  filters: Map<string, string[]>
  fields: string[]
  sort: { attribute: string, down: boolean }[]
  limit?: number
  marker?: string
  reverse: boolean
  /** A filter on what the caller may not see: nothing matches. */
  nothing: boolean
}

const values = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String)
const last = (value: unknown): string | undefined => value === undefined ? undefined : values(value).at(-1)
const special = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse'])

/** Reads a query string; 400 for what no attribute answers to. */
export function ask(noun: Noun, query: Record<string, unknown>, actor: Actor): Question {
  const question: Question = { filters: new Map(), fields: query.fields === undefined ? [] : values(query.fields), sort: [], reverse: false, nothing: false }
  const strangers: string[] = []
  for (const [name, value] of Object.entries(query)) {
    if (special.has(name)) continue
    const attribute = Object.hasOwn(noun.attributes, name) ? noun.attributes[name] : undefined
    if (!attribute || (!attribute.column && !attribute.filter)) strangers.push(name)
    else if (attribute.see && !attribute.see.allows(actor)) question.nothing = true
    else question.filters.set(name, [...new Set(values(value))])
  }
  if (strangers.length > 0) throw malformed(`[${strangers.slice(0, 8).map((s) => `'${s.slice(0, 60)}'`).join(', ')}] is invalid attribute for filtering`)

  const keys = query.sort_key === undefined ? [] : values(query.sort_key), directions = query.sort_dir === undefined ? [] : values(query.sort_dir)
  if (directions.length > 0 && keys.length !== directions.length) throw malformed('The number of sort_keys and sort_dirs must be same')
  for (const [i, key] of keys.entries()) {
    const attribute = Object.hasOwn(noun.attributes, key) ? noun.attributes[key] : undefined
    if (!attribute?.column || (attribute.see && !attribute.see.allows(actor))) throw malformed(`[${`'${key.slice(0, 60)}'`}] is invalid attribute for sort keys`)
    const direction = directions[i] ?? 'asc'
    if (direction !== 'asc' && direction !== 'desc') throw malformed('Invalid sort direction: it must be asc or desc')
    // What is sorted by already decides nothing any more; with a marker each key costs as much as all before it.
    if (!question.sort.some(({ attribute }) => attribute === key)) question.sort.push({ attribute: key, down: direction === 'desc' })
  }

  const limit = last(query.limit)
  if (limit !== undefined && limit !== '') {
    if (!/^\d{1,9}$/.test(limit)) throw malformed(`Limit must be an integer 0 or greater and not '${limit.slice(0, 20)}'`)
    if (Number(limit) > 0) question.limit = Number(limit)
  }
  const marker = last(query.marker)
  if (marker) question.marker = marker
  question.reverse = isTrue(last(query.page_reverse))
  return question
}

/** For the reference: every filter takes one value or several. */
export function querySchema(noun: Pick<Noun, 'attributes'>): TSchema {
  const value = Type.Unsafe<unknown>({ anyOf: [{ type: ['string', 'number', 'boolean'] }, { type: 'array', items: { type: ['string', 'number', 'boolean'] } }], repeats: true })
  const names = Object.entries(noun.attributes).filter(([, a]) => a.column || a.filter).map(([name]) => name)
  return Type.Object(Object.fromEntries([...names, ...special].map((name) => [name, Type.Optional(value)])), { additionalProperties: true })
}

/** `ports_links`: present only when a limit was asked for. */
export function pageLinks(base: string, urls: Urls, question: Question, ids: string[]): object[] | undefined {
  if (question.limit === undefined) return undefined
  const links: object[] = [], full = ids.length >= question.limit
  // Behind the end there is a way back all the same: an empty page names no marker, and leads to the other end.
  const to = (marker: string | undefined, back: boolean): string => {
    const search = new URLSearchParams(urls.search)
    for (const name of ['page_reverse', 'marker']) search.delete(name)
    if (back) search.set('page_reverse', 'True')
    return marker === undefined ? `${base}?${search}` : nextUrl(base, { ...urls, search }, marker, question.limit)
  }
  if (full || question.reverse) links.push({ href: to(ids.at(-1), false), rel: 'next' })
  if (full || !question.reverse) links.push({ href: to(ids[0], true), rel: 'previous' })
  return links
}

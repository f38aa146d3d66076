// Fields that many of identity's bodies and queries share, and the wire shape of its lists.
import { badRequest } from '#base/errors.ts'
import type { Urls } from '#kit/http/operation.ts'
import { exact, lenient, nullable, Type, type TProperties } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { immutable } from './faults.ts'
import type { Term } from './lists-store.ts'

/** The fields that several nouns have. */
export const field = {
  /** keystone's 64 characters for projects and domains, 255 for the others; not blank. */
  name: (maxLength = 255) => Type.String({ minLength: 1, maxLength, pattern: '\\S' }),
  id: Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9_.-]+$' }),
  description: nullable(Type.String({ maxLength: 65_535 })),
  enabled: Type.Boolean(),
  /** What protects a resource from being changed by accident. */
  options: exact({ immutable: Type.Optional(nullable(Type.Boolean())) }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 255, pattern: '^[^,/]*[^,/\\s][^,/]*$' }), { maxItems: 80, uniqueItems: true }),
}

/** Tags and names are kept without the spaces around them, as in keystone. */
export const trimmed = (tags: string[]): string[] => [...new Set(tags.map((tag) => tag.trim()))]

/** The query of a list: its own filters, a page, and whatever else clients add. */
export const listQuery = <P extends TProperties>(filters: P = {} as P) =>
  lenient({ ...filters, limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: Type.Optional(Type.String()) })

/** The page a query asks for; `listLimit` is how long a list is that says nothing. */
export const pageOf = (query: Page, listLimit?: number): Page => ({ limit: query.limit || listLimit, ...(query.marker !== undefined && { marker: query.marker }) })

/** What of a list is asked for: so many, after that id. */
export interface Page { limit?: number | undefined, marker?: string | undefined }
/** However much is asked for, one answer is no longer. */
const maxPage = 10_000
/** One row more than asked tells whether there is a next page. */
export const fetchLimit = (page: Page): number => pageSize(page) + 1
const pageSize = (page: Page): number => Math.min(page.limit || maxPage, maxPage)

/** Which column a query's key looks at; a flag is written as keystone reads booleans. */
export type Filters = Record<string, string | { flag: string }>
const comparators = /^(i?)(contains|startswith|endswith)$/

/**
 * The conditions in a query: `name=x`, and of parts `name__contains`, `__startswith`, `__endswith`, with an `i` before them without regard to case.
 * What is no filter of the list is passed over, as keystone does.
 */
export function termsOf(query: object, filters: Filters): Term[] {
  const terms: Term[] = []
  for (const [key, given] of Object.entries(query)) {
    const [name, comparator] = key.split('__', 2) as [string, string | undefined]
    const filter = Object.hasOwn(filters, name) ? filters[name]! : undefined
    if (filter === undefined || given === undefined) continue
    for (const value of new Set([given].flat() as (string | number | boolean)[])) {
      if (typeof filter === 'object') {
        const isOn = typeof value === 'boolean' ? value : !/^(false|0|no|off|f|n)$/i.test(String(value))
        if (comparator === undefined) terms.push({ column: filter.flag, how: 'is', value: flag(isOn) })
        continue
      }
      const [, i, how] = comparator === undefined ? [] : comparators.exec(comparator) ?? []
      if (comparator === undefined) terms.push({ column: filter, how: 'is', value: String(value) })
      else if (how) terms.push({ column: filter, how: how as 'contains', value: String(value), ignoreCase: i === 'i' })
    }
  }
  // Each is a condition of its own: databases bear not so many.
  if (terms.length > 500) throw badRequest('More than 500 conditions are asked for.')
  return terms
}

/** A list as keystone answers it: the items and links to this page and the next. */
export function collection<R extends { id: string }>(name: string, rows: R[], view: (row: R) => object, urls: Urls, page: Page = {}): object {
  const shown = rows.slice(0, pageSize(page)), more = shown.length < rows.length
  const base = urls.api + urls.path.replace(/^\/v3/, '')
  const link = (search: URLSearchParams): string => (search.size > 0 ? `${base}?${search}` : base)
  const nextSearch = new URLSearchParams(urls.search)
  if (more) nextSearch.set('marker', shown.at(-1)!.id)
  return { [name]: shown.map(view), links: { self: link(urls.search), previous: null, next: more ? link(nextSearch) : null }, ...(more && { truncated: true }) }
}

/** Options as they are kept; one that is set to null is forgotten. */
export const mergeOptions = (...parts: (object | undefined)[]): string => {
  const merged = Object.fromEntries(parts.flatMap((part) => Object.entries(part ?? {})))
  return JSON.stringify(Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)))
}

/** The options after a change. What is immutable is changed in nothing but that: else the 403. */
export function optionsAfter(what: string, current: { id: string, options: string }, change: { options?: { immutable?: boolean | null } }): string {
  const options = JSON.parse(current.options) as { immutable?: boolean }
  const onlyUnlocks = Object.keys(change).every((key) => key === 'options') && change.options?.immutable !== undefined && !change.options.immutable
  if (options.immutable && !onlyUnlocks) throw immutable('update', what, current.id)
  return mergeOptions(options, change.options)
}
const isImmutable = ({ options }: { options: string }): boolean => (JSON.parse(options) as { immutable?: boolean }).immutable === true
/** Throws the 403 when nothing of it may be changed. */
export function checkMutable(what: string, current: { id: string, options: string }): void {
  if (isImmutable(current)) throw immutable('update', what, current.id)
}
/** Throws the 403 when it may not be deleted. */
export function checkDeletable(what: string, current: { id: string, options: string }): void {
  if (isImmutable(current)) throw immutable('delete', what, current.id)
}

/** A change may repeat what never changes, or say `"id": null`, but no other value. */
export function checkFixed(asked: object, fixed: { id: string, domain_id?: string }): void {
  const { id = null, domain_id: domainId } = asked as { id?: unknown, domain_id?: unknown }
  if (id !== null && id !== fixed.id) throw badRequest('Cannot change ID')
  if (fixed.domain_id !== undefined && domainId !== undefined && domainId !== fixed.domain_id) throw badRequest('Cannot change Domain ID')
}

/** A filter that is on when it is there at all, unless it says 0: `?effective`, `?include_names=true`. */
export const isOn = (value: unknown): boolean => value !== undefined && value !== '0' && value !== 'false' && value !== 'False'

/** The attributes clients made up, as they are kept: those from before, and everything in the body but what is known. A key `__proto__` is one of them. */
export function extraOf(body: object, known: readonly string[], was?: { extra: string }): string {
  const extra: Record<string, unknown> = Object.assign(Object.create(null), was && JSON.parse(was.extra))
  for (const [key, value] of Object.entries(body)) if (!known.includes(key)) extra[key] = value
  const text = JSON.stringify(extra)
  // As long as keystone's column is; changes add up.
  if (text.length > 65_535) throw badRequest('Attributes that are not known may hold 65535 characters in all.')
  return text
}

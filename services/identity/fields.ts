// Fields that many of identity's bodies and queries share, and the wire shape of its lists.
import type { Urls } from '#kit/http/operation.ts'
import { lenient, nullable, Type, type TProperties } from '#kit/http/schema.ts'

export const field = {
  /** keystone's 64 characters for projects and domains, 255 for the others; not blank. */
  name: (maxLength = 255) => Type.String({ minLength: 1, maxLength, pattern: '\\S' }),
  id: Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9_.-]+$' }),
  description: nullable(Type.String({ maxLength: 65_535 })),
  enabled: Type.Boolean(),
  /** What protects a resource from being changed by accident. */
  options: lenient({ immutable: Type.Optional(nullable(Type.Boolean())) }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 255, pattern: '^[^,/]*$' }), { maxItems: 80, uniqueItems: true }),
}

/** The query of a list: its own filters, a page, and whatever else clients add. */
export const listQuery = <P extends TProperties>(filters: P) => lenient({ ...filters, limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: Type.Optional(Type.String()) })

export interface Page { limit?: number, marker?: string }
/** One row more than asked tells whether there is a next page. */
export const fetchLimit = (page: Page): number => (page.limit ? page.limit + 1 : 1_000_000)

/** A list as keystone answers it: the items and links to this page and the next. */
export function collection<R extends { id: string }>(name: string, rows: R[], view: (row: R) => object, urls: Urls, page: Page = {}): object {
  const shown = page.limit ? rows.slice(0, page.limit) : rows
  const more = shown.length < rows.length
  const base = urls.api + urls.path.replace(/^\/v3/, '')
  const link = (search: URLSearchParams): string => (search.size > 0 ? `${base}?${search}` : base)
  const nextSearch = new URLSearchParams(urls.search)
  if (more) nextSearch.set('marker', shown.at(-1)!.id)
  return { [name]: shown.map(view), links: { self: link(urls.search), previous: null, next: more ? link(nextSearch) : null } }
}

/** A filter that is on when it is there at all, unless it says 0: `?effective`, `?include_names=true`. */
export const isOn = (value: unknown): boolean => value !== undefined && value !== '0' && value !== 'false' && value !== 'False'

/** The attributes clients made up: everything but what is known. A key `__proto__` is one of them. */
export function extraOf(body: object, known: readonly string[]): Record<string, unknown> {
  const extra: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(body)) if (!known.includes(key)) extra[key] = value
  return extra
}

// Links as nova writes them: `self` with the version, `bookmark` without.
import type { Urls } from '#kit/http/operation.ts'
import { nextUrl } from '#kit/http/paging.ts'

export interface Link { rel: string, href: string }

/** https://cloud/compute/PROJECT: the API's URL without its version. */
export const bookmarkBase = (urls: Urls): string => urls.api.replace(/\/v2(\.1)?(?=\/|$)/, '')

export const linksOf = (urls: Urls, collection: string): (id: string) => Link[] => {
  const self = `${urls.api}/${collection}/`, bookmark = `${bookmarkBase(urls)}/${collection}/`
  return (id) => [{ rel: 'self', href: self + id }, { rel: 'bookmark', href: bookmark + id }]
}

/** Pages hold at most so many. */
export const maxLimit = 1000

/** nova's page size: what was asked, bounded; 0 is none at all. */
export const pageSize = (limit: number | undefined): number => Math.min(limit ?? maxLimit, maxLimit)

/** `{ servers_links: [next] }` when a page was full: another may follow. */
export function pageLinks(key: string, urls: Urls, collection: string, shown: number, limit: number | undefined, lastId: string | undefined): Record<string, Link[]> {
  const size = pageSize(limit)
  return size > 0 && shown === size && lastId !== undefined ? { [key]: [{ rel: 'next', href: nextUrl(`${urls.api}/${collection}`, urls, lastId) }] } : {}
}

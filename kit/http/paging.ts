// Marker paging as OpenStack's lists do it: `limit`, `marker`, and a link to the next page.
import type { Urls } from './operation.ts'

/** The link to the page after `marker`: the same request with the marker set. */
export function nextUrl(base: string, urls: Urls, marker: string, limit?: number): string {
  const search = new URLSearchParams(urls.search)
  search.set('marker', marker)
  if (limit !== undefined) search.set('limit', String(limit))
  return `${base}?${search}`
}

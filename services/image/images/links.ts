// The links of a page as glance writes them: relative, with the request's own query string.

/** `first` and, when there is a page behind `last`, `next`. */
export function linksOf(path: string, search: URLSearchParams, last: string | undefined): { first: string, next?: string } {
  const at = (s: URLSearchParams): string => `${path}${s.size > 0 ? `?${s}` : ''}`
  const first = new URLSearchParams(search)
  first.delete('marker')
  if (last === undefined) return { first: at(first) }
  const next = new URLSearchParams(search)
  next.set('marker', last)
  return { first: at(first), next: at(next) }
}

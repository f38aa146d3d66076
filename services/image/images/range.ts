// Ranges of bytes as clients ask for them: one range, from Range or (older clients) from Content-Range.
import { Fault } from '#base/errors.ts'

/** Both ends included. */
export interface ByteRange { start: number, end: number }

/** Both ends included; undefined when the whole is asked for. Throws rangeNotSatisfiable (416) for what is malformed or lies outside. */
export function rangeOf(headers: Record<string, string | string[] | undefined>, size: number): ByteRange | undefined {
  const { range } = headers, contentRange = headers['content-range']
  const asked = typeof range === 'string' ? range : typeof contentRange === 'string' ? contentRange : undefined
  if (asked === undefined) return undefined
  const wrong = (): Error => new Fault('rangeNotSatisfiable', `Invalid range request '${asked.slice(0, 60)}'`, { headers: { 'content-range': `bytes */${size}` } })
  const match = typeof range === 'string' ? /^bytes=(\d{0,15})-(\d{0,15})$/.exec(asked.trim()) : /^bytes (\d{1,15})-(\d{1,15})\/(?:\d{1,15}|\*)$/.exec(asked.trim())
  if (!match || (match[1] === '' && match[2] === '')) throw wrong()
  const [from, to] = [match[1]!, match[2]!]
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to))
  if (start > end || start >= size) throw wrong()
  return { start, end }
}

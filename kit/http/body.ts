// Reading request bodies: bounded, strict about encoding and media type, and with nothing merged into prototypes.
import type { IncomingMessage } from 'node:http'
import { chunksOf } from '#base/chunks.ts'
import { badRequest, tooLarge, unsupportedMediaType } from '#base/errors.ts'
import { Invalid } from './schema.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** All bytes of a body, refusing more than `maxBytes`, and to wait longer than `withinMs`: what has come is held in memory until the rest has, whoever sends it. */
export async function readBody(req: IncomingMessage, maxBytes: number, withinMs = 60_000): Promise<Buffer> {
  const declared = Number(req.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw tooLarge(`The request body is larger than ${maxBytes} bytes.`)
  const late = Promise.withResolvers<never>(), timer = setTimeout(() => { late.reject(badRequest(`The request body did not come within ${withinMs / 1000} s.`)) }, withinMs)
  const chunks: Buffer[] = [], coming = chunksOf(req)
  let size = 0
  try {
    for (let next = await Promise.race([coming.next(), late.promise]); !next.done; next = await Promise.race([coming.next(), late.promise])) {
      size += next.value.length
      if (size > maxBytes) throw tooLarge(`The request body is larger than ${maxBytes} bytes.`)
      chunks.push(next.value)
    }
  } finally {
    clearTimeout(timer)
    // Not waited for: it ends when something comes, or the connection is closed.
    coming.return(undefined).catch(() => {})
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The JSON in a body of one of these media types, or undefined when there is none. A key `__proto__` stays an ordinary key. */
export function parseJson(bytes: Buffer, contentType: string | undefined, consumes: readonly string[]): unknown {
  if (bytes.length === 0) return undefined
  const type = (contentType ?? 'application/json').split(';')[0]!.trim().toLowerCase()
  if (!consumes.includes(type)) throw unsupportedMediaType(`The media type ${type.slice(0, 60)} is not supported, use ${consumes[0]}.`)
  let text: string
  try { text = utf8.decode(bytes) } catch { throw badRequest('Malformed request body: it is not valid UTF-8.') }
  let value: unknown
  try { value = JSON.parse(text) } catch { throw new Invalid('Malformed request body: it is not valid JSON.', { part: 'json', reason: 'it is not valid JSON' }) }
  if (!isShallow(value, deepest)) throw badRequest(`Malformed request body: it is nested more than ${deepest} deep.`)
  // Only escapes can say what UTF-8 cannot.
  if (text.includes('\\u') && !isText(value)) throw badRequest('Malformed request body: it holds half a character or a NUL.')
  return value
}

/** Neither half a surrogate pair, which no encoding knows, nor NUL, which not every database keeps: in no string and no key. */
const isText = (value: unknown): boolean => {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000')
  return typeof value !== 'object' || value === null || (Array.isArray(value) ? value.every(isText) : Object.entries(value).every(([key, v]) => isText(key) && isText(v)))
}

/** No request of OpenStack's comes near; whoever walks a body recursively may rely on it. */
const deepest = 100
const isShallow = (value: unknown, left: number): boolean =>
  typeof value !== 'object' || value === null || (left > 0 && (Array.isArray(value) ? value : Object.values(value)).every((v) => isShallow(v, left - 1)))

/** What is taken in of a refused request's body so that its sender comes to read the answer. */
export interface Patience { bytes: number, ms: number }

/**
 * Throws away what still comes of a request that was answered already; settles at its end, or when patience is. A connection that is closed while its peer is sending is reset, and
 * with it goes the answer: many clients look for one only when they have sent all.
 */
export async function drain(req: IncomingMessage, patience: Patience): Promise<void> {
  if (req.destroyed) return
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, patience.ms)
  let left = patience.bytes
  req.on('data', (chunk: Buffer) => { if ((left -= chunk.length) < 0) over.resolve() })
  for (const event of ['end', 'error', 'close']) req.on(event, over.resolve)
  req.resume()
  await over.promise
  clearTimeout(timer)
}

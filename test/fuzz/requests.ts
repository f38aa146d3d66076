// The requests of one operation: its access case's own call, its schema's values, and what lies around both.
import type { Call } from '#kit/http/client.ts'
import type { Operation } from '#kit/http/operation.ts'
import { versionNumber } from '#kit/http/schema.ts'
import type { ServiceHttp } from '#kit/http/service.ts'
import type { Random } from './random.ts'
import { hostileText, hostileValue, mutate, textOf, valueOf } from './values.ts'

export interface WireRequest { method: string, path: string, headers: Record<string, string>, body: Buffer | undefined }

const segments = ['%00', '%ff', '%2e%2e%2f', '%zz', 'x'.repeat(300), 'x'.repeat(1100), encodeURIComponent('💥'), 'None', '__proto__', 'detail', '-1', '0', '1', 'a%20b', '%25', "'", '00000000-0000-0000-0000-000000000000', 'f'.repeat(32), '*', '%0d%0a', '.', 'latest']
const bodies = ['', 'null', '[]', '"x"', '{', '{}', '{"a":1,}', '\ufeff{}', 'NaN', '[1,2', '{"a":{"b":', '\u0000', '{"\\u0000":1}', '0']
const looksLikeText = /json|text/

/** A call that is right, its stream read to the end: it is sent more than once. */
export type Base = Omit<Call, 'stream'> & { bytes?: Buffer }

/** `base`: what is changed here and there, if one could be made. */
export function requestFor(service: ServiceHttp, op: Operation, base: Base | undefined, random: Random): WireRequest {
  const kind = random.below(4), version = service.microversions ? versionNumber(service.microversions.max) : 0
  const bodySchema = op.bodySchema?.shapeAt(version), querySchema = op.querySchema?.shapeAt(version) as { properties?: Record<string, any> } | undefined

  const path = op.path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    (kind === 3 && random.chance(0.6)) || base?.params?.[name] === undefined ? random.pick(segments) : encodeURIComponent(base.params[name]))
  const prefix = op.atRoot ? '' : random.chance(0.9) ? service.prefixes[0] ?? '' : random.pick(service.prefixes).replace('{project_id}', 'f'.repeat(32))

  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(base?.headers ?? {})) headers[name.toLowerCase()] = random.chance(0.05) ? random.pick(['', 'x', '{}', 'text/plain', 'application/xml', '0']) : value
  if (service.microversions) {
    const [major, newest] = service.microversions.max.split('.'), asked = random.chance(0.7) ? service.microversions.max : random.pick([`${major}.${random.below(Number(newest) + 1)}`, '', 'latest', '0.0', '999.999', '1.1.1', 'x', `${major}.99`])
    if (random.chance(0.95)) headers['openstack-api-version'] = `${service.microversions.service} ${asked}`
  }
  if (random.chance(0.1)) headers[random.pick(['range', 'content-range', 'if-match', 'if-none-match', 'x-subject-token', 'accept', 'x-forwarded-for', 'x-openstack-request-id', 'content-encoding', 'openstack-identity-access-rules'])] = random.pick(['', 'bytes=0-', 'bytes=5-1', 'bytes=-1', 'bytes 0-99999999999999999999/1', '*', 'x'.repeat(5000), 'gzip', '"a"', '%00'])

  let body: Buffer | undefined
  if (op.streams) {
    body = random.pick([base?.bytes ?? Buffer.from('data'), Buffer.alloc(0), Buffer.from('QFI\u00fb\u0000\u0000\u0000\u0003'), Buffer.alloc(70_000, random.below(256))])
    headers['content-type'] ??= random.chance(0.8) ? 'application/octet-stream' : random.pick(['application/json', 'text/html', ''])
  } else {
    const right = op.action ? { [op.action]: structuredClone(base?.body ?? null) } : structuredClone(base?.body)
    const made = (): unknown => { const value = valueOf(bodySchema, random); return op.action ? { [op.action]: value } : value }
    let tree = kind === 0 && right !== undefined ? right : bodySchema || op.action ? made() : undefined
    if (kind === 3 && random.chance(0.5)) tree = right
    if (kind !== 1) for (let i = random.below(3); i >= 0; i--) tree = mutate(tree, random)
    if (tree === undefined && op.method !== 'GET' && random.chance(0.3)) tree = hostileValue(random)
    body = tree === undefined ? undefined : Buffer.from(random.chance(0.04) ? random.pick(bodies) : textOf(tree))
    if (body && random.chance(0.02)) body = Buffer.concat([body.subarray(0, random.below(body.length + 1)), Buffer.from([0xff, 0xfe, 0xc0]), body])
    if (body !== undefined) headers['content-type'] ??= random.chance(0.97) ? op.consumes?.[0] ?? 'application/json' : random.pick(['text/plain', 'application/json; charset=utf-16', '', 'application/x-www-form-urlencoded', 'multipart/form-data'])
  }

  const search: string[] = []
  for (const [key, value] of Object.entries(base?.query ?? {})) for (const v of [value].flat()) search.push(`${encodeURIComponent(key)}=${encodeURIComponent(String(v))}`)
  for (const [key, field] of Object.entries(querySchema?.properties ?? {})) {
    if (!random.chance(kind === 3 ? 0.5 : 0.15)) continue
    for (let i = random.chance(0.1) ? 2 : 1; i > 0; i--) search.push(`${encodeURIComponent(key)}=${queryText(random.chance(0.6) ? valueOf(field.type === 'array' ? field.items : field, random) : hostileText(random), random)}`)
  }
  if (random.chance(0.2)) search.push(random.pick(['limit=', 'limit=-1', 'limit=99999999999999999999', 'marker=x', 'marker=%00', 'sort_key=__proto__', 'sort=name:desc,x:y', 'sort_dir=up', 'fields=id', '__proto__=x', '__proto__[a]=1', '%zz', '&&==', 'a=%ff', 'x'.repeat(2000), 'name__contains=%25', 'tags=a,,b', 'created_at=gt:x', 'member_of=in:', 'project_id=', 'all_tenants=1', 'limit=1', 'effective', 'include_names=0']))
  return { method: op.method, path: `${service.mount}${prefix}${path}${search.length > 0 ? `?${search.join('&')}` : ''}`.slice(0, 20_000), headers: sendable(headers), body }
}

const queryText = (value: unknown, random: Random): string => {
  const text = typeof value === 'string' ? value : textOf(value)
  // A lone surrogate has no percent-encoding.
  return (random.chance(0.03) ? '%zz%' : '') + encodeURIComponent(text.toWellFormed()).slice(0, 3000)
}
const sendable = (headers: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(headers).filter(([, value]) => /^[\t\x20-\x7e]*$/.test(value)))

/** What cannot be right in any answer: not JSON where it says so, or something of our insides. */
export function indecent(status: number, contentType: string | undefined, body: Buffer): string | undefined {
  if (status >= 500) return `answered ${status}`
  if (status < 400 || !contentType || !looksLikeText.test(contentType)) return undefined
  const text = body.toString()
  if (/node:internal|\.ts:\d+|SQLITE_|kysely|at async /i.test(text)) return 'shows what is inside'
  try { if (body.length > 0 && contentType.includes('json')) JSON.parse(text) } catch { return 'is not the JSON it says it is' }
  return undefined
}

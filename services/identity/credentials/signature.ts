// Amazon's signatures, versions 0, 1, 2 and 4, over requests that a service was sent and describes to us; and S3's, over a text to sign.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

type Text = string | number | boolean

/** A signed request as ec2tokens' callers describe it. */
export interface SignedRequest {
  signature?: string
  host?: string
  verb?: string
  path?: string
  params?: Record<string, Text>
  headers?: Record<string, Text>
  body_hash?: string
}

/** What was signed: when (undefined: no time that we can read), or until when it holds. */
export interface Signed { atMs?: number, untilMs?: number }

const hmac = (algorithm: string, key: string | Buffer, text: string | Buffer): Buffer => createHmac(algorithm, key).update(text).digest()
const fits = (given: string, made: string): boolean => timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(made).digest())

/** RFC 3986, as all of these want it. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const queryOf = (params: Record<string, Text>): string => Object.keys(params).sort().map((key) => `${encode(key)}=${encode(String(params[key]))}`).join('&')

/** 2026-01-31T12:00:00Z, also without its marks. */
export function timeOf(text: Text | undefined): number | undefined {
  const at = Date.parse(String(text ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z').replace(/(T\d\d:\d\d:\d\d(?:\.\d+)?)$/, '$1Z'))
  return Number.isNaN(at) ? undefined : at
}

const timesOf = ({ Timestamp, Expires }: Record<string, Text>): Signed => ({
  ...(timeOf(Timestamp) !== undefined && { atMs: timeOf(Timestamp)! }), ...(timeOf(Expires) !== undefined && { untilMs: timeOf(Expires)! }),
})

function version4(secret: string, { params = {}, headers = {}, verb = '', path = '', body_hash = '' }: SignedRequest): { made: string, signed: Signed } | undefined {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase().trim(), String(value).trim()]))
  const authorization = lower.get('authorization')
  const part = (name: string): string =>
    (authorization !== undefined ? new RegExp(`${name}=([^,]*)`).exec(authorization)?.[1]?.trim() : String(params[`X-Amz-${name}`] ?? '')) ?? ''
  const date = lower.get('x-amz-date') ?? String(params['X-Amz-Date'] ?? ''), signedHeaders = part('SignedHeaders')
  const [, day = '', region = '', service = '', ...rest] = part('Credential').split('/')
  if (day.length !== 8 || !date.startsWith(day) || rest.join('/') !== 'aws4_request') return undefined
  const lines = signedHeaders.split(';').filter((name) => lower.has(name)).map((name) => `${name}:${lower.get(name)}`).join('\n')
  // What was POSTed as a form is in the body's digest.
  const request = [verb.toUpperCase(), path, verb.toUpperCase() === 'POST' ? '' : queryOf(params), `${lines}\n`, signedHeaders, body_hash].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(request).digest('hex')].join('\n')
  return { made: hmac('sha256', keyOf(secret, day, region, service), text).toString('hex'), signed: { atMs: timeOf(date) } }
}
const keyOf = (secret: string, ...parts: string[]): Buffer => [...parts, 'aws4_request'].reduce<Buffer>((key, part) => hmac('sha256', key, part), Buffer.from(`AWS4${secret}`))

/** Whether the request was signed with the secret, and for when; undefined when it was not, or not in a way that we know. */
export function checkSignature(secret: string, request: SignedRequest): Signed | undefined {
  const { signature, params = {}, verb = '', host = '', path = '' } = request
  if (!signature) return undefined
  const version = params.SignatureVersion === undefined ? undefined : String(params.SignatureVersion)
  const sign = (as: string): { made: string, signed: Signed } | undefined => {
    if (version === '0') return { made: hmac('sha1', secret, `${params.Action ?? ''}${params.Timestamp ?? ''}`).toString('base64'), signed: { atMs: timeOf(params.Timestamp) } }
    if (version === '1') {
      const keys = Object.keys(params).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
      return { made: hmac('sha1', secret, keys.map((key) => key + String(params[key])).join('')).toString('base64'), signed: timesOf(params) }
    }
    if (version === '2') {
      return { made: hmac('sha256', secret, `${verb}\n${as}\n${path}\n${queryOf({ ...params, SignatureMethod: 'HmacSHA256' })}`).toString('base64'), signed: timesOf(params) }
    }
    return version === undefined ? version4(secret, request) : undefined
  }
  // Some clients leave the port out of what they sign.
  for (const as of [host, host.replace(/:\d+$/, '')]) {
    const made = sign(as)
    if (made && fits(signature, made.made)) return made.signed
  }
  return undefined
}

const s3Services = ['s3', 'iam', 'sts']

/** The same over the text to sign that S3's services hand on. Older texts have no time that can be relied upon; their services look at it. */
export function checkS3Signature(secret: string, token: string, signature: string): Signed | undefined {
  const bytes = Buffer.from(token, 'base64'), text = bytes.toString()
  if (!text.startsWith('AWS4')) return fits(signature, hmac('sha1', secret, bytes).toString('base64')) ? {} : undefined
  const [algorithm, date = '', scope = '', ...rest] = text.split('\n')
  const [day = '', region = '', service = '', end, ...more] = scope.split('/')
  if (algorithm !== 'AWS4-HMAC-SHA256' || rest.length !== 1 || end !== 'aws4_request' || more.length > 0 || !s3Services.includes(service) || !date.startsWith(day)) return undefined
  return fits(signature, hmac('sha256', keyOf(secret, day, region, service), bytes).toString('hex')) ? { atMs: timeOf(date) } : undefined
}

// Requests signed as RFC 5849 says: https://www.rfc-editor.org/rfc/rfc5849#section-3
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What there is of a request that a signature is about. */
export interface SignedRequest { authorization: string, method: string, /** Without its query. */ url: string, search: URLSearchParams }
/** Who signed, by his own word. */
export interface Signed {
  consumerKey: string
  token: string | undefined
  verifier: string | undefined
  timestampSeconds: number
  /** Tells this request from all others: it is let in once. */
  once: string
  /** Is it signed with these? */
  fits(consumerSecret: string, tokenSecret: string): boolean
}

const windowSeconds = 300
/** Until when it could be shown again, in epoch seconds: its time would be too old then. */
export const onceUntil = (signed: Signed): number => signed.timestampSeconds + windowSeconds
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const hashes = new Map([['HMAC-SHA1', 'sha1'], ['HMAC-SHA256', 'sha256'], ['HMAC-SHA512', 'sha512']])

/** What an Authorization header says; undefined for what is no signed request of now. */
export function signedBy({ authorization, method, url, search }: SignedRequest, nowSeconds: number): Signed | undefined {
  if (!/^OAuth\s/i.test(authorization) || authorization.length > 8192) return undefined
  const told = new Map<string, string>()
  for (const [, name, value] of authorization.slice(6).matchAll(/([\w%.~-]+)="([^"]*)"/g)) {
    let decoded: string
    try { decoded = decodeURIComponent(value!) } catch { return undefined }
    if (told.has(name!)) return undefined
    told.set(name!, decoded)
  }
  const consumerKey = told.get('oauth_consumer_key')
  const how = told.get('oauth_signature_method') ?? ''
  const plain = how === 'PLAINTEXT', hash = hashes.get(how)
  const signature = told.get('oauth_signature')
  const nonce = told.get('oauth_nonce')
  const timestamp = told.get('oauth_timestamp') ?? ''
  if (!consumerKey || !(plain || hash) || !signature || !nonce || nonce.length > 255) return undefined
  if (!/^\d{1,12}$/.test(timestamp) || (told.get('oauth_version') ?? '1.0') !== '1.0') return undefined
  const timestampSeconds = Number(timestamp)
  if (Math.abs(timestampSeconds - nowSeconds) > windowSeconds) return undefined
  const ofHeader = [...told].filter(([name]) => name !== 'realm' && name !== 'oauth_signature')
  const parameters = [...search, ...ofHeader].map(([name, value]): [string, string] => [encoded(name), encoded(value)])
  const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
  parameters.sort(([a, x], [b, y]) => order(a, b) || order(x, y))
  const at = new URL(url)
  const written = parameters.map((pair) => pair.join('=')).join('&')
  const base = [method.toUpperCase(), encoded(`${at.protocol}//${at.host}${at.pathname}`), encoded(written)].join('&')
  // PLAINTEXT shows the secrets themselves (section 3.4.4): worth what the connection is, as passwords are. Times and nonces are asked for all the same, as keystone does.
  const given = Buffer.from(signature, plain ? 'utf8' : 'base64'), token = told.get('oauth_token')
  return {
    consumerKey, token, verifier: told.get('oauth_verifier'), timestampSeconds,
    once: createHash('sha256').update(JSON.stringify(['oauth1', consumerKey, token ?? '', timestamp, nonce])).digest('hex'),
    fits(consumerSecret, tokenSecret) {
      const secrets = `${encoded(consumerSecret)}&${encoded(tokenSecret)}`, wanted = hash ? createHmac(hash, secrets).update(base).digest() : Buffer.from(secrets)
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },
  }
}

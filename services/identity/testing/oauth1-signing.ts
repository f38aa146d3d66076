// Requests as OAuth1's consumers sign them, written apart from what checks them.
import { createHmac, randomBytes } from 'node:crypto'

export interface ToSign {
  url: string, consumerKey: string, consumerSecret: string, token?: string, tokenSecret?: string, verifier?: string, callback?: string, method?: string,
  algorithm?: 'sha1' | 'sha256' | 'sha512' | 'plaintext', timestamp?: number, nonce?: string
}
const percent = (text: string): string => [...Buffer.from(text)].map((b) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : `%${b.toString(16).toUpperCase().padStart(2, '0')}`)).join('')

const methods = { sha1: 'HMAC-SHA1', sha256: 'HMAC-SHA256', sha512: 'HMAC-SHA512', plaintext: 'PLAINTEXT' }

/** The Authorization header. */
export function sign(s: ToSign): string {
  const algorithm = s.algorithm ?? 'sha1', secrets = `${percent(s.consumerSecret)}&${percent(s.tokenSecret ?? '')}`
  const oauth: Record<string, string> = {
    oauth_consumer_key: s.consumerKey, oauth_nonce: s.nonce ?? randomBytes(12).toString('hex'), oauth_signature_method: methods[algorithm],
    oauth_timestamp: String(s.timestamp ?? Math.floor(Date.now() / 1000)), oauth_version: '1.0', ...(s.token && { oauth_token: s.token }), ...(s.verifier && { oauth_verifier: s.verifier }), ...(s.callback && { oauth_callback: s.callback }),
  }
  const at = new URL(s.url)
  const pairs = [...at.searchParams, ...Object.entries(oauth)].map(([k, v]) => `${percent(k)}=${percent(v)}`).sort()
  const base = `${s.method ?? 'POST'}&${percent(at.origin + at.pathname)}&${percent(pairs.join('&'))}`
  oauth.oauth_signature = algorithm === 'plaintext' ? secrets : createHmac(algorithm, secrets).update(base).digest('base64')
  return `OAuth ${Object.entries(oauth).map(([k, v]) => `${k}="${percent(v)}"`).join(', ')}`
}

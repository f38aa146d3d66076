// Asking a provider: only the hosts an administrator named, no redirects, bounded in time and size.
import { unavailable } from '#base/errors.ts'

const timeoutMs = 10_000, maxBytes = 512 * 1024, maxUnderWay = 50

/** `fetch`, as far as it is allowed to go. */
export type Ask = (url: string, init: RequestInit) => Promise<Response>

/** A `fetch` for one provider. Throws the 503 when it cannot be reached, does not answer in time or answers too much. */
export function askOnly(issuer: string, moreHosts: readonly string[] = []): Ask {
  const home = new URL(issuer), hosts = new Set([home.host, ...moreHosts.map((h) => h.toLowerCase())])
  let underWay = 0
  return async (text, init) => {
    const url = new URL(text)
    if (url.protocol !== home.protocol || !hosts.has(url.host)) throw unavailable(`The identity provider refers to ${url.host}, which is not among its endpoint_hosts.`)
    if (underWay >= maxUnderWay) throw unavailable('Too many questions to the identity provider are unanswered.')
    underWay++
    try {
      const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
      const parts: Uint8Array[] = []
      let size = 0
      for await (const part of answer.body ?? []) {
        size += part.length
        if (size > maxBytes) throw new Error(`more than ${maxBytes} bytes`)
        parts.push(part)
      }
      if (answer.status >= 300 && answer.status < 400) throw new Error(`a redirect (${answer.status})`)
      return new Response([204, 205, 304].includes(answer.status) ? null : Buffer.concat(parts), { status: answer.status, headers: answer.headers })
    } catch (error) {
      throw unavailable('The identity provider cannot be reached, or does not answer as it should.', { cause: error })
    } finally { underWay-- }
  }
}

// How callers show their token.
import type { IncomingHttpHeaders } from 'node:http'

/** OpenStack's header, or OAuth2's way. */
export function tokenIn({ 'x-auth-token': token, authorization }: IncomingHttpHeaders): string | undefined {
  return typeof token === 'string' ? token : /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

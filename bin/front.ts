// What the API's port answers outside any service: `/`, `/healthz`, `/openapi.json`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import about from '../package.json' with { type: 'json' }
import { services } from '#services/index.ts'

export const { version } = about

/** For HttpOptions.extra. The document is made at the first request for it. */
export function front(publicUrl: () => string): (req: IncomingMessage, res: ServerResponse, path: string) => boolean {
  let document: Buffer | undefined
  const make = async (): Promise<Buffer> => {
    const { openapi } = await import('#kit/http/openapi.ts')
    return document ??= Buffer.from(JSON.stringify(openapi(services.map((s) => s.http), publicUrl(), version)))
  }
  return (req, res, path) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return false
    const answer = (body: string | Buffer): void => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      res.end(req.method === 'HEAD' ? undefined : body)
    }
    switch (path) {
      case '/healthz': answer('{"status":"ok"}'); return true
      case '/openapi.json':
        make().then(answer, (error: unknown) => res.destroy(error as Error))
        return true
      case '/':
        answer(JSON.stringify({ name: 'pileus', version, openapi: `${publicUrl()}/openapi.json`, services: services.map(({ http }) => ({ name: http.name, url: publicUrl() + http.mount })) }))
        return true
      default: return false
    }
  }
}

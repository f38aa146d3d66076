// Answers guests at 169.254.169.254: finds out from the conductor who asks (by the port the request came in on, never by what it says)
// and walks the tree of what that guest may know.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import type { Bus } from '#kit/bus/bus.ts'
import { conductorBus } from '#services/compute/bus.ts'

/** A leaf, or the listing of a directory with a slash behind directories; undefined when there is nothing. EC2's roots list versions. */
export function walk(files: Record<string, string>, rawPath: string): Buffer | undefined {
  const path = rawPath.replace(/^\/+|\/+$/g, '').replace(/\/{2,}/g, '/')
  if (Object.hasOwn(files, path)) return Buffer.from(files[path]!, 'base64')
  const prefix = path === '' ? '' : `${path}/`
  const below = Object.keys(files).filter((p) => p.startsWith(prefix)).map((p) => p.slice(prefix.length))
  if (below.length === 0) return undefined
  // The root lists EC2's versions only, as nova's does.
  const entries = path === '' ? below.filter((p) => !p.startsWith('openstack/')) : below
  const names = new Set(entries.map((p) => (p.includes('/') ? `${p.slice(0, p.indexOf('/'))}${path.startsWith('openstack') || path === '' ? '' : '/'}` : p)))
  // EC2 shows a key as its number and name.
  if (/\/meta-data\/public-keys$/.test(`/${path}`)) return Buffer.from([...names].map((n) => `${n.replace('/', '')}=openssh-key`).join('\n'))
  return Buffer.from([...names].join('\n'))
}

export function metadataHandler(bus: Bus, contextFor: () => Context, log: Log) {
  return (caller: { networkId: string, portId: string }, req: IncomingMessage, res: ServerResponse): void => {
    const reply = (status: number, body: Buffer, type = 'text/plain; charset=utf-8'): void => {
      res.writeHead(status, { 'content-type': type, 'content-length': body.length, connection: 'close' })
      res.end(req.method === 'HEAD' ? undefined : body)
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') return reply(405, Buffer.from('Method Not Allowed'))
    let path: string
    try { path = decodeURI((req.url ?? '/').split('?')[0]!) } catch { return reply(400, Buffer.from('Bad Request')) }
    bus.call(contextFor(), conductorBus, 'metadata', caller, { timeoutMs: 10_000 }).then((guest) => {
      const found = guest && walk(guest.files, path)
      if (!found) return reply(404, Buffer.from('Not Found'))
      reply(200, found, path.endsWith('.json') ? 'application/json' : undefined)
    }).catch((error: unknown) => {
      log.warn({ portId: caller.portId, error: explain(error) }, 'a metadata request failed')
      reply(503, Buffer.from('Service Unavailable'))
    })
  }
}

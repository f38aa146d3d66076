// What only the machine's own operator sees: metrics and status on the loopback, and orders on a socket that its owner alone may open.
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { explain } from '#base/errors.ts'
import type { Cloud } from './cloud.ts'
import { stopGuests } from './guests.ts'
import { rotateCloudKeys } from './keys.ts'
import type { Metrics } from './metrics.ts'
import { repair } from './repair.ts'
import { cloudStatus } from './status-report.ts'

type Route = (cloud: Cloud, metrics: Metrics) => Promise<{ type?: string, body: unknown }>

const looks: Record<string, Route> = {
  'GET /healthz': async () => ({ body: { status: 'ok' } }),
  'GET /status': async (cloud) => ({ body: await cloudStatus(cloud) }),
  'GET /metrics': async (cloud, metrics) => { const { type, text } = await metrics.render(cloud); return { type, body: text } },
}
const orders: Record<string, Route> = {
  ...looks,
  'POST /repair': async (cloud) => ({ body: await repair(cloud) }),
  'POST /rotate-keys': async (cloud) => ({ body: await rotateCloudKeys(cloud, false) }),
  'POST /end-tokens': async (cloud) => ({ body: await rotateCloudKeys(cloud, true) }),
  'POST /stop-guests': async (cloud) => ({ body: await stopGuests(cloud.hosts.list.map((h) => h.hypervisor), cloud.config.shutdownGraceMs, cloud.log) }),
}

const listener = (routes: Record<string, Route>, cloud: Cloud, metrics: Metrics): RequestListener => (req: IncomingMessage, res: ServerResponse) => {
  const respond = (status: number, body: unknown, type = 'application/json'): void => {
    const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`
    res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
    res.end(text)
  }
  // A page in the operator's browser must not reach it under a name of its own choosing.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(req.headers.host ?? '')) return respond(403, { error: 'ask for 127.0.0.1' })
  const route = routes[`${req.method} ${(req.url ?? '/').split('?')[0]}`]
  if (!route) return respond(404, { error: `there are: ${Object.keys(routes).join(', ')}` })
  route(cloud, metrics).then(({ type, body }) => respond(200, body, type), (error: unknown) => {
    cloud.log.error({ error: explain(error), path: req.url }, 'an operator\'s request failed')
    respond(500, { error: explain(error) })
  })
}

const listening = (server: Server, where: object): Promise<void> => new Promise((resolve, reject) => { server.once('error', reject); server.listen(where, resolve) })
const closed = (server: Server): Promise<void> => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections() })

export interface Operator { url: string, close(): Promise<void> }

/** Opens both listeners. Throws EADDRINUSE with the port when that is taken. */
export async function startOperator(cloud: Cloud, metrics: Metrics, where: { port: number, socket: string }): Promise<Operator> {
  const views = createServer(listener(looks, cloud, metrics)), control = createServer(listener(orders, cloud, metrics))
  await listening(views, { port: where.port, host: '127.0.0.1' })
  try {
    await rm(where.socket, { force: true })
    // Between its making and its mode nobody else may open it.
    const mask = process.umask(0o177)
    try { await listening(control, { path: where.socket }) } finally { process.umask(mask) }
    await chmod(where.socket, 0o600)
  } catch (error) {
    await closed(views)
    throw error
  }
  return {
    url: `http://127.0.0.1:${(views.address() as AddressInfo).port}`,
    async close() { await Promise.all([closed(views), closed(control)]) },
  }
}

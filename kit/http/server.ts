// One port for all services: finds the operation, learns who calls, runs the pipeline, dresses the answer.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { constants } from 'node:crypto'
import { createServer as createHttpsServer } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline as pipe } from 'node:stream/promises'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { AccessRule, Actor, Context, Log } from '#base/context.ts'
import { badRequest, Fault, notFound, unauthorized } from '#base/errors.ts'
import { newRequestId } from '#base/ids.ts'
import { allowedByRules } from '#kit/policy/access-rules.ts'
import { anyone } from '#kit/policy/rules.ts'
import type { RequestScope, Tracer } from '#kit/trace/tracer.ts'
import { clientCertificate, thumbprintOf } from './client-certificate.ts'
import { drain, parseJson, readBody, type Patience } from './body.ts'
import { faultView, likesHtml } from './faults.ts'
import { noVersion, Reply, type Input, type Operation, type Version } from './operation.ts'
import { admit, perform } from './pipeline.ts'
import { parseQuery } from './schema.ts'
import { serviceCredentialHeader } from './service-credential.ts'
import { negotiate, versionHeaders, type ServiceHttp } from './service.ts'
import { tokenIn } from './token.ts'

/** A service with what its handlers are handed. */
export interface Mounted { service: ServiceHttp, deps: unknown }

export interface HttpOptions {
  services: Mounted[]
  /** What clients are told this server is called, without a slash at the end: https://cloud.example:5000 */
  publicUrl: string
  /** Whom a token stands for. Throws Unauthorized. */
  authenticate(token: string, ctx: Context): Promise<Actor>
  /** Opens the credential one service shows another (service-credential.ts); without it none is accepted. */
  openServiceCredential?(sealed: string): Actor | Promise<Actor>
  tracer: Tracer
  log: Log
  /** With senders of bodies that were refused. */
  patience?: Patience
  /** How long a body that is no stream may take to come; a minute if not said. */
  bodyMs?: number
  /** `clientCa`: clients may show certificates, and those of these authorities are believed (client-certificate.ts). */
  tls?: { cert: string | Buffer, key: string | Buffer, clientCa?: string | Buffer }
  /** Told of every finished request, for metrics. */
  finished?(service: string, operation: string, status: number, seconds: number): void
  /** Paths outside any service: `/`, `/healthz`, `/openapi.json`. */
  extra?(req: IncomingMessage, res: ServerResponse, path: string): boolean
}

interface Route { mounted: Mounted, operations: Operation[], prefix: string }
type Router = ReturnType<typeof findMyWay>

/** Project ids in a path: what keeps `/v2.1/{project_id}/servers` apart from `/v2.1/servers/{server_id}`. */
const projectPattern = '(^[0-9a-f]{32}$|^[0-9a-f]{8}-[0-9a-f-]{27}$)'
const params = (path: string, pattern = ''): string => path.replace(/\{(\w+)\}/g, (_all, name: string) => `:${name}${name === 'project_id' ? pattern : ''}`)
/** Only the prefix's project needs the pattern: elsewhere a name in the place of an id is simply not found. */
const routerPath = (prefix: string, path: string): string => params(prefix, projectPattern) + params(path)

function routesOf(mounted: Mounted): Router {
  const router = findMyWay({ ignoreTrailingSlash: !mounted.service.strictPaths, maxParamLength: 1024, caseSensitive: true })
  const routes = new Map<string, Route>()
  for (const operation of mounted.service.operations) {
    for (const prefix of operation.atRoot ? [''] : mounted.service.prefixes) {
      const path = routerPath(prefix, operation.path) || '/', key = `${operation.method} ${path}`
      const known = routes.get(key)
      // Several operations share a path: actions by their body's key, and bodies that changed wholly between versions.
      if (known) known.operations.push(operation)
      else {
        const route: Route = { mounted, operations: [operation], prefix }
        routes.set(key, route)
        router.on(operation.method as HTTPMethod, path, () => {}, route)
      }
    }
  }
  return router
}

/** Of whom nobody knows yet: as much as keystone takes of anybody. */
const largestOfStrangers = 114_688

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'] as const

/** The operation among those on one path that this request means. */
function choose(operations: Operation[], version: Version, action: string | undefined): Operation | undefined {
  return operations.find((op) => (op.action === undefined || op.action === action) && version.number >= op.sinceNumber && version.number <= op.untilNumber)
}

/** Makes the server; the caller makes it listen. */
export function createApi(options: HttpOptions): Server {
  const mounts = new Map(options.services.map((m) => [m.service.mount.slice(1), { mounted: m, router: routesOf(m) }]))

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const startedAt = performance.now()
    const requestId = newRequestId()
    const scope = options.tracer.request(requestId)
    const url = req.url ?? '/'
    const question = url.indexOf('?')
    const path = question < 0 ? url : url.slice(0, question)
    const slash = path.indexOf('/', 1)
    const mount = mounts.get(slash < 0 ? path.slice(1) : path.slice(1, slash))
    const state: { op?: Operation, version?: Version } = {}
    try {
      if (!mount) {
        if (options.extra?.(req, res, path)) return
        throw notFound('The resource could not be found.')
      }
      const { name } = mount.mounted.service
      const search = question < 0 ? '' : url.slice(question + 1)
      await scope.ctx.span(`${name}.request`, () => serve(req, res, mount, path, slash, search, scope, state), { tenant: { method: req.method, path } })
    } catch (error) {
      sendFault(req, res, mount?.mounted.service, error, scope.ctx, state.version)
    } finally {
      scope.finish()
      options.finished?.(mount?.mounted.service.name ?? 'none', state.op?.name ?? 'none', res.statusCode, (performance.now() - startedAt) / 1000)
    }
  }

  async function serve(
    req: IncomingMessage, res: ServerResponse, mount: { mounted: Mounted, router: Router }, path: string, slash: number,
    search: string, scope: RequestScope, state: { op?: Operation, version?: Version },
  ): Promise<void> {
    const { service, deps } = mount.mounted
    const inner = slash < 0 ? '/' : path.slice(slash)
    const found = mount.router.find(req.method as HTTPMethod, inner) ?? (req.method === 'HEAD' && !service.noHead ? mount.router.find('GET', inner) : null)
    if (!found) {
      const allowed = methods.filter((m) => mount.router.find(m, inner) ?? (m === 'HEAD' && !service.noHead && mount.router.find('GET', inner)))
      // `DELETE /servers/` means the server with an empty id: there is none. Reading with a slash too many is answered as without it.
      const asked = negotiate(service.microversions, req.headers)
      if (asked && !('status' in asked)) state.version = asked
      if (allowed.length > 0 && (inner === '/' || !inner.endsWith('/'))) {
        throw new Fault('methodNotAllowed', `The method ${req.method} is not allowed for this resource.`, { headers: { allow: allowed.join(', ') } })
      }
      throw notFound('The resource could not be found.')
    }
    const route = found.store as Route
    const params = found.params as Record<string, string>
    // No id holds a NUL, and not every database may even be asked for one.
    if (path.includes('%00')) throw notFound('The resource could not be found.')
    if (search.includes('%00')) throw badRequest('The query string holds a NUL.')

    const negotiated = negotiate(service.microversions, req.headers)
    if (negotiated && 'status' in negotiated) throw new Fault(negotiated.status === 400 ? 'badRequest' : 'notAcceptable', negotiated.message)
    const version = state.version = negotiated ?? noVersion

    // Who calls is known before anything is read, unless everybody may.
    const open = route.operations.every((op) => op.access === anyone)
    const token = tokenIn(req.headers)
    if (!open) {
      scope.ctx = { ...scope.ctx, actor: await scope.ctx.span(`${service.name}.validate-token`, () => callerOf(req, token, scope.ctx, service, inner)) }
    }
    const ctx = scope.ctx
    if (!open) service.inspect?.(ctx, params)

    let body: unknown, action: string | undefined
    const first = route.operations[0]!, byAction = route.operations.some((op) => op.action)
    const early = byAction ? undefined : choose(route.operations, version, undefined)
    // What the version does not have is not there, whatever is sent to it.
    if (!byAction && !early) throw notFound('The resource could not be found.')
    if (!route.operations.some((op) => op.streams)) {
      // Looking at a large body costs more than sending it.
      const limit = Math.max(...route.operations.map((op) => op.maxBodyBytes ?? (open ? largestOfStrangers : 1024 ** 2)))
      // The roles are checked before a large body is even read, where one rule speaks for the path.
      if (route.operations.length === 1 && version.number >= first.sinceNumber && version.number <= first.untilNumber) admit(service, first, ctx)
      if (early) service.inspectHeaders?.(early, req.headers)
      goOn(req, res)
      const consumed = [...route.operations.flatMap((op) => op.consumes ?? []), 'application/json', ...service.consumes ?? []]
      body = parseJson(await readBody(req, limit, options.bodyMs), req.headers['content-type'], consumed)
      if (byAction) action = actionOf(body)
    }
    const op = choose(route.operations, version, action)
    if (!op) {
      if (action !== undefined) throw badRequest(`There is no such action: ${action.slice(0, 60)}`)
      throw notFound('The resource could not be found.')
    }
    state.op = op
    if (!early || op.streams) service.inspectHeaders?.(op, req.headers)
    await ctx.span(`${service.name}.decide-access`, async () => admit(service, op, ctx), { tenant: { audit_id: ctx.actor.auditId } })
    if (op.action) body = (body as Record<string, unknown>)[op.action]
    if (op.streams) goOn(req, res)

    const searchParams = new URLSearchParams(search)
    const root = options.publicUrl + service.mount
    const prefix = route.prefix.replace('/{project_id}', params.project_id ? `/${params.project_id}` : '')
    const input: Input<unknown, unknown, unknown> = {
      params, query: parseQuery(op.querySchema?.at(version.number).schema, searchParams), body, stream: req, headers: req.headers, remoteAddress: req.socket.remoteAddress ?? '',
      target: undefined, version, urls: { root, api: root + (op.atRoot ? '' : prefix), path: inner, search: searchParams },
    }
    const reply = await perform(op, ctx, input, deps)
    await send(req, res, service, reply, ctx, version)
  }

  async function callerOf(req: IncomingMessage, token: string | undefined, ctx: Context, service: ServiceHttp, inner: string): Promise<Actor> {
    const sealed = req.headers[serviceCredentialHeader]
    if (typeof sealed === 'string' && options.openServiceCredential) return options.openServiceCredential(sealed)
    if (!token) throw notAuthenticated(options.publicUrl)
    const { accessRules, ...actor } = await holderOf(req, token, ctx)
    if (accessRules && !await mayAsk(req, accessRules, ctx, service, inner)) throw notAuthenticated(options.publicUrl)
    return actor
  }

  /** Whom the token stands for; one that is bound to a certificate is worth nothing without it. */
  async function holderOf(req: IncomingMessage, token: string, ctx: Context): Promise<Actor> {
    const { boundTo, ...actor } = await options.authenticate(token, ctx)
    if (boundTo !== undefined) {
      const shown = clientCertificate(req)
      if (shown === undefined || thumbprintOf(shown) !== boundTo) throw notAuthenticated(options.publicUrl)
    }
    return actor
  }

  /** An application credential may be bound to some requests; a token may always be looked at, and a service goes on with what it was asked for. */
  async function mayAsk(req: IncomingMessage, rules: readonly AccessRule[], ctx: Context, service: ServiceHttp, inner: string): Promise<boolean> {
    if (service.name === 'identity' && req.method === 'GET' && inner === '/v3/auth/tokens') return true
    if (allowedByRules(rules, { serviceTypes: [service.name, ...service.otherTypes ?? []], method: req.method ?? '', paths: [inner, service.mount + inner] })) return true
    const onBehalf = req.headers['x-service-token']
    return typeof onBehalf === 'string' && (await holderOf(req, onBehalf, ctx)).roles.includes('service')
  }

  async function send(req: IncomingMessage, res: ServerResponse, service: ServiceHttp, reply: Reply, ctx: Context, version: Version): Promise<void> {
    const headers: Record<string, string | string[]> = {
      ...commonHeaders(service, ctx.requestId, version), ...reply.headers,
    }
    const { body } = reply
    if (body instanceof Readable) {
      res.writeHead(reply.status!, { 'content-type': 'application/octet-stream', ...headers })
      if (req.method === 'HEAD') { body.destroy(); res.end(); return }
      // A reader who goes away in the middle is no error of ours.
      await pipe(body, res).catch((error: unknown) => {
        if (!res.destroyed && !req.destroyed) ctx.log.warn({ requestId: ctx.requestId, error: String(error) }, 'a streamed reply broke off')
        res.destroy()
      })
      return
    }
    const bytes = body === undefined ? undefined : bytesOf(body)
    if (bytes) {
      headers['content-length'] = String(bytes.length)
      headers['content-type'] ??= typeof body === 'string' || Buffer.isBuffer(body) ? 'text/plain; charset=utf-8' : 'application/json'
    } else if (reply.status !== 204 && reply.status !== 304) {
      headers['content-length'] = '0'
    }
    res.writeHead(reply.status!, headers)
    res.end(req.method === 'HEAD' ? undefined : bytes)
  }

  function sendFault(req: IncomingMessage, res: ServerResponse, service: ServiceHttp | undefined, error: unknown, ctx: Context, version: Version | undefined): void {
    const { headers, ...view } = faultView(service, error, ctx)
    if (res.headersSent) { res.destroy(); return }
    const page = service?.faultPage && likesHtml(req.headers.accept) ? service.faultPage(view, req.headers.accept) : undefined
    const body = Buffer.from(page ?? JSON.stringify(service ? service.envelope(view, version) : { error: { code: view.status, message: view.message } }))
    // What was not read of the request would be taken for the next one.
    if (!req.complete) headers.connection = 'close'
    res.writeHead(view.status, {
      ...commonHeaders(service, ctx.requestId, version), ...headers,
      'content-type': page === undefined ? 'application/json' : 'text/html; charset=UTF-8', 'content-length': String(body.length),
    })
    const answer = req.method === 'HEAD' ? undefined : body
    if (req.complete) { res.end(answer); return }
    if (answer) res.write(answer)
    else res.flushHeaders()
    void drain(req, options.patience ?? { bytes: 512 * 1024 ** 2, ms: 5000 }).then(() => res.end())
  }

  const commonHeaders = (service: ServiceHttp | undefined, requestId: string, version: Version | undefined): Record<string, string> => ({
    'x-openstack-request-id': requestId,
    ...service?.replyHeaders?.(requestId),
    ...(service?.microversions && versionHeaders(service.microversions, version)),
  })

  const handle = (req: IncomingMessage, res: ServerResponse): void => { void respond(req, res) }
  // Slow or endless headers are cut off; bodies may take as long as an image takes.
  // Who vanished without a word is noticed by TCP's own probes: else an upload from him would never end.
  const limits = { headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 65_000, maxHeaderSize: 32_768, keepAlive: true, keepAliveInitialDelay: 60_000 }
  const server = options.tls ? createHttpsServer({ ...tlsOptions(options.tls), ...limits }, handle) : createHttpServer({ ...limits, highWaterMark: 1024 ** 2 }, handle)
  // Who asks before he sends is answered once it is known who he is: what is refused need not be sent at all.
  server.on('checkContinue', handle)
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return
    const body = '{"error":{"code":400,"message":"The request is not valid HTTP."}}'
    socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
  })
  return server
}

const bytesOf = (body: unknown): Buffer => Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))

/**
 * A certificate is asked for, not demanded: most clients have none. Nobody negotiates again: whoever was believed by one certificate could then show any other,
 * which Node judges only the first time.
 */
const tlsOptions = ({ cert, key, clientCa }: NonNullable<HttpOptions['tls']>): object =>
  ({ cert, key, secureOptions: constants.SSL_OP_NO_RENEGOTIATION, ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: false }) })

const goOn = (req: IncomingMessage, res: ServerResponse): void => { if (req.headers.expect?.toLowerCase() === '100-continue') res.writeContinue() }

const notAuthenticated = (publicUrl: string): Error =>
  unauthorized('The request you have made requires authentication.', { headers: { 'www-authenticate': `Keystone uri="${publicUrl}/identity"` } })

function actionOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badRequest('Malformed request body: an action is an object with one key, its name.')
  const keys = Object.keys(body)
  if (keys.length !== 1) throw badRequest(keys.length === 0 ? 'The request body names no action.' : 'The request body names more than one action.')
  return keys[0]!
}

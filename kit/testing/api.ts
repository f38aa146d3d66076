// Starts services for a test: a fresh SQLite file, real HTTP on a free port of the loopback, and callers that are simply stated.
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { Actor, Context, Log } from '#base/context.ts'
import { unauthorized } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { localClient, type Answer, type Call, type ServiceClient } from '#kit/http/client.ts'
import { createApi, type HttpOptions, type Mounted } from '#kit/http/server.ts'
import type { ServiceModule } from '#kit/service.ts'
import { migrate, type Migration } from '#kit/store/migrations.ts'
import { storeMigrations } from '#kit/store/rows.ts'
import { openStore, type Store, type StoreConfig } from '#kit/store/store.ts'
import { createTracer, type SpanRecord, type Tracer } from '#kit/trace/tracer.ts'
import { scopedPersonas, scopedRoles, type AnyPersona, type Persona } from './access.ts'
import { freshDatabase } from '#kit/store/fresh.testing.ts'
import { requestOf } from './call.ts'
import { watchFaults } from './faults.ts'

/** What a service's deps can be made of. */
export interface ApiParts {
  store: Store
  /** http://127.0.0.1:PORT */
  publicUrl: string
  tracer: Tracer
  log: Log
  /** A client of one of the services that are started here, by its name. */
  client(service: string): ServiceClient
}

export interface TestService<D = any> {
  module: ServiceModule<D>
  /** Called once, when the port is known and the database is migrated. */
  deps(parts: ApiParts): D | Promise<D>
}

export interface ApiSetup {
  services: TestService[]
  /** Who stands behind a token's text; by default each persona's name is its token. */
  actors?: Record<string, Actor>
  /** Instead of `actors`: for tests of identity itself, and whole clouds. */
  authenticate?: HttpOptions['authenticate']
  /** An empty database other than a SQLite file of the test's own. */
  database?: StoreConfig
  /** Accepts the credentials of services beside tokens. */
  openServiceCredential?: HttpOptions['openServiceCredential']
  /** Further tables (saga journal, outbox). */
  migrations?: { area: string, migrations: Migration[] }[]
  patience?: HttpOptions['patience']
  bodyMs?: HttpOptions['bodyMs']
  /** Set to keep the log out of the test's output: for tests that provoke bugs. */
  quiet?: boolean
}

export interface HttpReply<T = any> { status: number, headers: Headers, body: T, bytes: Buffer }
export interface HttpCall {
  /** X-Auth-Token. */
  token?: string
  /** A value is sent as JSON; a string or Buffer as it stands. */
  body?: unknown
  headers?: Record<string, string>
}

export interface TestApi extends ApiParts {
  /** Any request: `api.http('GET', '/identity/v3/projects', { token: 'admin' })`. */
  http<T = any>(method: string, path: string, call?: HttpCall): Promise<HttpReply<T>>
  /** An operation by its name, over HTTP; answers whatever status comes. */
  call<T = any>(token: string | undefined, service: string, operation: string, call?: Call): Promise<Answer<T>>
  mounted(service: string): Mounted
  /** The finished spans that belong to a resource. */
  spans(resourceId: string): Promise<SpanRecord[]>
  close(): Promise<void>
}

export const testProjectId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
export const testOtherProjectId = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
export const testOtherDomainId = 'dddddddddddddddddddddddddddddddd'
const implied: Record<string, string[]> = {
  reader: ['reader'], member: ['member', 'reader'], manager: ['manager', 'member', 'reader'], admin: ['admin', 'manager', 'member', 'reader'],
}

/** The personas of the access tests as callers: three on one project, the administrator on its own, a stranger, and those of domains and the system. */
export function personaActors(): Record<Exclude<AnyPersona, 'nobody'>, Actor> {
  const actor = (persona: Persona, role: string, projectId: string): Actor => ({
    userId: newHexId(), userName: persona, userDomainId: 'default', projectId, projectName: `${persona}-project`, projectDomainId: 'default', roles: implied[role]!,
  })
  const scoped = scopedPersonas.map((persona): [string, Actor] => {
    const { role, on } = scopedRoles[persona], domainId = on === 'otherDomain' ? testOtherDomainId : 'default'
    return [persona, { userId: newHexId(), userName: persona, userDomainId: domainId, ...(on === 'system' ? { system: 'all' } : { domainId }), roles: implied[role]! }]
  })
  return {
    ...Object.fromEntries(scoped) as Record<(typeof scopedPersonas)[number], Actor>,
    reader: actor('reader', 'reader', testProjectId), member: actor('member', 'member', testProjectId), manager: actor('manager', 'manager', testProjectId),
    admin: actor('admin', 'admin', newHexId()), other: actor('other', 'member', testOtherProjectId),
  }
}

const errorsOnly = (quiet: boolean | undefined): Log => ({
  debug() {}, info() {}, warn() {},
  error(fields, message) { if (!quiet) console.error(message, fields) },
})

/** Starts the services; the test closes what it gets. */
export async function startApi(setup: ApiSetup): Promise<TestApi> {
  watchFaults()
  const dir = await mkdtemp(join(tmpdir(), 'pileus-test-'))
  const store = await openStore(setup.database ?? await freshDatabase() ?? { engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  const areas = setup.services.map(({ module }) => ({ area: module.http.name, migrations: module.migrations }))
  await migrate(store, [{ area: 'kit', migrations: storeMigrations }, ...setup.migrations ?? [], ...areas])

  const log = errorsOnly(setup.quiet), kept: SpanRecord[] = []
  const tracer = createTracer(log, (spans) => { kept.push(...spans) })
  const actors: Record<string, Actor> = setup.actors ?? personaActors()
  const mounts = new Map(setup.services.map(({ module }): [string, Mounted] => [module.http.name, { service: module.http, deps: undefined }]))
  const mounted = (service: string): Mounted => {
    const found = mounts.get(service)
    if (!found) throw new Error(`the test starts no service ${service}`)
    return found
  }
  const options: HttpOptions = {
    services: [...mounts.values()], publicUrl: '', tracer, log,
    ...(setup.openServiceCredential && { openServiceCredential: setup.openServiceCredential }),
    ...(setup.patience && { patience: setup.patience }),
    ...(setup.bodyMs && { bodyMs: setup.bodyMs }),
    authenticate: setup.authenticate ?? (async (token: string, _ctx: Context) => {
      const actor = Object.hasOwn(actors, token) ? actors[token] : undefined
      if (!actor) throw unauthorized('The request you have made requires authentication.')
      return actor
    }),
  }
  const server = createApi(options)
  await new Promise<void>((listening, failed) => { server.once('error', failed); server.listen(0, '127.0.0.1', listening) })
  const publicUrl = options.publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const parts: ApiParts = { store, publicUrl, tracer, log, client: (service) => localClient(() => mounted(service), publicUrl) }
  for (const { module, deps } of setup.services) mounted(module.http.name).deps = await deps(parts)

  const http = async <T>(method: string, path: string, call: HttpCall = {}): Promise<HttpReply<T>> => {
    const raw = call.body === undefined || typeof call.body === 'string' || Buffer.isBuffer(call.body)
    const reply = await fetch(publicUrl + path, {
      method, redirect: 'manual',
      headers: {
        accept: 'application/json', ...(call.body !== undefined && { 'content-type': 'application/json' }),
        ...(call.token !== undefined && { 'x-auth-token': call.token }), ...call.headers,
      },
      ...(call.body !== undefined && { body: raw ? call.body as string : JSON.stringify(call.body) }),
    })
    const bytes = Buffer.from(await reply.arrayBuffer())
    const json = bytes.length > 0 && reply.headers.get('content-type')?.includes('json')
    return { status: reply.status, headers: reply.headers, body: (json ? JSON.parse(bytes.toString()) : undefined) as T, bytes }
  }
  return {
    ...parts, http, mounted,
    async call<T>(token: string | undefined, service: string, operation: string, call: Call = {}) {
      const request = await requestOf(mounted(service).service, operation, call)
      const reply = await http<T>(request.method, request.path, { token, headers: request.headers, body: request.body })
      return { status: reply.status, headers: Object.fromEntries(reply.headers), body: (reply.body ?? (reply.bytes.length > 0 ? reply.bytes : undefined)) as T }
    },
    async spans(resourceId) {
      await turn()
      await tracer.flush()
      return kept.filter((span) => span.resourceId === resourceId)
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await tracer.flush()
      await store.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}


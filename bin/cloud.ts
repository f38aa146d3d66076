// The composition root: makes every service, the conductor, the scheduler and this host's agents, and ties them together.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Actor, Context, Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import { newRequestId, newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { ledgerMigrations } from '#agents/compute/ledger.ts'
import { openBus, type Bus } from '#kit/bus/bus.ts'
import { busMigrations } from '#kit/bus/store.ts'
import { localClient, type ServiceClient } from '#kit/http/client.ts'
import { createApi, type HttpOptions, type Mounted } from '#kit/http/server.ts'
import type { Runner } from '#kit/saga/runner.ts'
import { sagaMigrations } from '#kit/saga/schema.ts'
import type { ServiceModule } from '#kit/service.ts'
import { lockMigrations } from '#kit/store/alone.ts'
import { migrate } from '#kit/store/migrations.ts'
import { storeMigrations } from '#kit/store/rows.ts'
import { openStore, type Store } from '#kit/store/store.ts'
import { keepSpans, pruneSpans, traceMigrations } from '#kit/trace/store.ts'
import { createTracer, type Tracer } from '#kit/trace/tracer.ts'
import { services } from '#services/index.ts'
import { startConductor } from './conductor.ts'
import type { CloudConfig } from './config.ts'
import { startHosts, type Hosts } from './hosts.ts'
import { openLog } from './log.ts'
import { serviceDeps, type Parts } from './services.ts'

export interface Cloud {
  config: CloudConfig
  /** What clients are told the cloud is called. */
  url: string
  store: Store
  bus: Bus
  runner: Runner
  tracer: Tracer
  log: Log
  hosts: Hosts
  server: Server
  parts: Parts
  mounted: Map<string, Mounted>
  client(service: string): ServiceClient
  /** A context for work of the cloud's own. */
  context(actor: Actor): Context
  /** Stops the control plane; guests go on. */
  stop(): Promise<void>
}

/** Tables of the whole program, kit's first. */
export const migrateAll = (store: Store): Promise<void> => migrate(store, [
  { area: 'kit.store', migrations: storeMigrations }, { area: 'kit.locks', migrations: lockMigrations }, { area: 'kit.bus', migrations: busMigrations }, { area: 'kit.saga', migrations: sagaMigrations }, { area: 'kit.trace', migrations: traceMigrations },
  { area: 'agent.compute', migrations: ledgerMigrations },
  ...services.map((module) => ({ area: module.http.name, migrations: module.migrations })),
])

/** Starts a cloud; throws when the port is taken or a driver cannot work here, with nothing left running. */
export async function startCloud(config: CloudConfig, http: Pick<HttpOptions, 'finished' | 'extra'> = {}): Promise<Cloud> {
  const log = openLog(config.logLevel, config.logFile)
  const undo: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step().catch((error: unknown) => log.warn({ error: explain(error) }, 'stopping went wrong'))
    undo.length = 0
  }
  try {
    return await start(config, http, log, undo, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(config: CloudConfig, http: Pick<HttpOptions, 'finished' | 'extra'>, log: Log, undo: (() => Promise<unknown>)[], stop: () => Promise<void>): Promise<Cloud> {
  const store = await openStore(config.database)
  undo.push(() => store.close())
  await migrateAll(store)

  const tracer = createTracer(log, (spans) => keepSpans(store, spans))
  undo.push(() => tracer.flush())
  const context = (actor: Actor): Context => tracer.context({ requestId: newRequestId(), traceId: newId().replaceAll('-', ''), actor })
  const bus = await openBus({
    ...config.bus, store, log, owner: `${config.host}`,
    contextFor: ({ requestId, traceId, resourceId, actor, deadlineAt }) => tracer.context({ requestId, traceId, resourceId, actor, deadlineAt }),
  })
  undo.push(() => bus.close())

  // The port first: who finds it taken has done nothing yet, and the public URL is known to everybody after it.
  const mounted = new Map<string, Mounted>()
  const wanted = { address: config.listen.address, port: config.listen.port }
  let authenticate: (token: string, ctx: Context) => Promise<Actor> = () => Promise.reject(new Error('not started'))
  const scheme = config.tls ? 'https' : 'http'
  let publicUrl = config.publicUrl ?? `${scheme}://${wanted.address.includes(':') ? `[${wanted.address}]` : wanted.address}:${wanted.port}`

  const client = (service: string): ServiceClient => localClient(() => {
    const there = mounted.get(service)
    if (!there) throw new Error(`there is no service ${service}`)
    return there
  }, publicUrl)

  const probe = createPortHolder(wanted)
  const port = await probe.hold()
  undo.push(probe.release)
  if (config.publicUrl === undefined) publicUrl = publicUrl.replace(/:\d+$/, `:${port}`)

  const runnerHolder: { runner?: Runner } = {}
  const parts: Parts = await serviceDeps({ config, store, bus, tracer, log, client, publicUrl, runner: () => runnerHolder.runner! })
  authenticate = parts.authenticate
  for (const module of services as ServiceModule<any>[]) mounted.set(module.http.name, { service: module.http, deps: parts.deps[module.http.name] })

  const conductor = await startConductor({ config, store, bus, tracer, log, client, context, parts })
  undo.push(conductor.stop)
  runnerHolder.runner = conductor.runner

  const hosts = await startHosts({ config, store, bus, log, client, context, parts })
  undo.push(() => hosts.stop())
  // Only now: whatever sagas a former process left find agents that answer.
  await conductor.runner.open()

  await probe.release()
  const server = createApi({ services: [...mounted.values()], publicUrl, authenticate: (token, ctx) => authenticate(token, ctx), tracer, log, ...(config.tls && { tls: config.tls }), ...parts.http, ...http })
  await new Promise<void>((resolve, reject) => { server.once('error', reject); server.listen(port, wanted.address, resolve) })
  undo.push(() => new Promise<void>((resolve) => { server.close(() => resolve()); server.closeAllConnections() }))

  const housekeeping = setInterval(() => void pruneSpans(store, now()).catch(() => {}), 3600_000).unref()
  undo.push(async () => clearInterval(housekeeping))
  return { config, url: publicUrl, store, bus, runner: conductor.runner, tracer, log, hosts, server, parts, mounted, client, context, stop }
}

/** Takes the port before any work is done, so that a taken one is an early, clean error; port 0 gets a number. */
function createPortHolder(wanted: { address: string, port: number }): { hold(): Promise<number>, release(): Promise<void> } {
  let holder: import('node:net').Server | undefined
  return {
    async hold() {
      const { createServer } = await import('node:net')
      const server = createServer((socket) => socket.destroy())
      await new Promise<void>((resolve, reject) => { server.once('error', reject); server.listen(wanted.port, wanted.address, resolve) })
      holder = server
      return (server.address() as AddressInfo).port
    },
    release: () => new Promise((resolve) => { if (!holder) return resolve(); holder.close(() => resolve()); holder = undefined }),
  }
}

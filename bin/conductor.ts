// Conductor and scheduler: the bus handlers that own sagas and choose hosts.
import type { Actor, Context, Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import type { Bus } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import { createRunner, type Runner } from '#kit/saga/runner.ts'
import type { Store } from '#kit/store/store.ts'
import type { Tracer } from '#kit/trace/tracer.ts'
import { conductorBus, schedulerBus } from '#services/compute/bus.ts'
import { buildServer } from '#services/compute/conductor/build.ts'
import { createCommands } from '#services/compute/conductor/commands.ts'
import { deleteServer } from '#services/compute/conductor/delete.ts'
import type { ConductorDeps } from '#services/compute/conductor/deps.ts'
import { conductorHandlers } from '#services/compute/conductor/handlers.ts'
import { startReconcile } from '#services/compute/conductor/reconcile.ts'
import { reportService } from '#services/compute/conductor/hosts-store.ts'
import { imageSagas } from '#services/image/service.ts'
import { select } from '#services/compute/scheduler/select.ts'
import { serveAgents } from '#services/network/wanted/serve.ts'
import type { CloudConfig } from './config.ts'
import { sweepImages } from './images.ts'
import type { Parts } from './services.ts'

export interface ConductorParts {
  config: CloudConfig
  store: Store
  bus: Bus
  tracer: Tracer
  log: Log
  client(service: string): ServiceClient
  context(actor: Actor): Context
  parts: Parts
}

export async function startConductor({ config, store, bus, tracer, log, client, context, parts }: ConductorParts): Promise<{ runner: Runner, stop(): Promise<void> }> {
  // nova's service_down_time
  const { downAfterMs = 60_000 } = config
  // The same in the next life: answers to a dead conductor would lie in the outbox for ever.
  const instance = `c-${config.host}`
  const commands = createCommands({ store: store.as(), bus, instance, downAfterMs, buildTimeoutMs: 30 * 60_000 })
  const deps: ConductorDeps = { store: store.as(), bus, network: client('network'), placement: client('placement'), commands, log }
  const handlers = conductorHandlers({
    ...deps, allocationRatios: { vcpu: 4, memory: 1, disk: 1 }, reservedMemoryMib: 512, metadata: { store: store.as(), network: client('network') },
  })
  const embedded = config.database.engine === 'sqlite'
  const runner = createRunner<any>({
    store, sagas: [buildServer, deleteServer, ...imageSagas], deps: (saga) => saga.startsWith('image.') ? parts.deps.image : deps, owner: config.host, soleOwner: embedded, service: 'compute', log, sealKey: config.secrets.sealKey,
    contextFor: ({ resourceId, actor, requestId, traceId }) => tracer.context({ requestId, traceId, resourceId, actor }),
    onStuck: (saga) => log.error({ saga: saga.id, name: saga.name, resource: saga.resourceId }, 'a saga is stuck: an operator must look'),
  })
  const stops = await Promise.all([
    bus.serve(conductorBus, handlers),
    // The agents' answers to this conductor's own commands.
    bus.serve(conductorBus, handlers, { target: instance }),
    serveAgents(parts.deps.network, bus),
    bus.serve(schedulerBus, { select: (ctx, request) => ctx.span('scheduler.take', () => select(ctx, request, { store: store.as(), placement: client('placement'), downAfterMs })) }),
  ])
  const alive = (): Promise<void> => store.as<any>().tx(async (tx) => {
    for (const binary of ['nova-conductor', 'nova-scheduler']) await reportService(tx, config.host, binary)
  })
  await alive()
  const heart = setInterval(() => void alive().catch((error: unknown) => log.warn({ error: explain(error) }, 'a sign of life was not written')), config.heartbeatMs).unref()
  const endSweep = sweepImages(() => context({ service: 'image', userId: '', roles: [] }), parts.deps.image)
  const endReconcile = startReconcile({
    ...deps, context: () => context({ service: 'compute', userId: '', roles: [] }), graceMs: config.shutdownGraceMs, downAfterMs,
  })
  return {
    runner,
    async stop() {
      clearInterval(heart)
      await endReconcile()
      await endSweep()
      await runner.stop()
      commands.close()
      for (const stop of stops) await stop()
    },
  }
}

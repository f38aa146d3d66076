// Network's side of the bus: agents ask what they should hold, and say what they see.
import type { Context } from '#base/context.ts'
import { forbidden } from '#base/errors.ts'
import { after } from '#base/time.ts'
import type { Bus, Stop } from '#kit/bus/bus.ts'
import { networkBus, type HostReport, type StateReport } from '../bus.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import * as agents from '../agents/store.ts'
import type { ReportKind } from '../schema.ts'
import { wantedState } from './state.ts'
import * as bound from './store.ts'

const keptMs = 7 * 24 * 3600 * 1000

/** Only our own services speak here; step 23 of the boot flow. */
const checkCaller = (ctx: Context): Promise<void> => ctx.span('network.check-caller', async () => {
  if (ctx.actor.service === undefined) throw forbidden('Only services may ask for the state of a host.')
})

async function take(tx: NetworkTx, { host, networks = [], ports = [], routers = [], floatingIps = [] }: HostReport): Promise<void> {
  const kept = async (kind: ReportKind, states: StateReport[], table: Parameters<typeof bound.standing>[1]): Promise<void> => {
    if (states.length === 0) return
    // Word of something that is gone meanwhile would stay for ever.
    const there = await bound.standing(tx, table, states.map((s) => s.id))
    await bound.reported(tx, host, kind, states.filter((s) => there.has(s.id)))
  }
  await kept('network', networks, 'networkNetworks')
  await kept('port', ports, 'networkPorts')
  await kept('router', routers, 'networkRouters')
  await kept('floatingip', floatingIps, 'networkFloatingIps')
}

/** Serves until the answered function is called. */
export function serveAgents(deps: Deps, bus: Pick<Bus, 'serve'>): Promise<Stop> {
  return bus.serve(networkBus, {
    async wantedState(ctx, request) {
      await checkCaller(ctx)
      return deps.store.read((tx) => wantedState(tx, deps, request))
    },
    async report(ctx, report) {
      await checkCaller(ctx)
      await deps.store.tx((tx) => take(tx, report))
      return { taken: true as const }
    },
    async heartbeat(ctx, { host, startedAt, configurations }) {
      await checkCaller(ctx)
      await deps.store.tx(async (tx) => {
        await agents.heard(tx, host, startedAt, JSON.stringify(configurations))
        await bound.prune(tx, after(-keptMs))
      })
      return { known: true as const }
    },
  })
}

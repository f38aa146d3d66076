// What the API calls to have servers made, changed and removed; see ../lifecycle.ts.
import { conflict } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import type { PowerChange } from '#drivers/hypervisor/contract.ts'
import type { Runner } from '#kit/saga/runner.ts'
import { computeAgentBus } from '../bus.ts'
import type { Lifecycle, PowerAction } from '../lifecycle.ts'
import { powerMoves } from '../servers/state.ts'
import { buildServer } from './build.ts'
import { asCompute } from './commands.ts'
import { deleteServer } from './delete.ts'
import type { ConductorDeps } from './deps.ts'
import * as servers from './servers-store.ts'

/** What hosts are told for each action. */
export const powerChanges = (graceMs: number): Record<PowerAction, PowerChange> => ({
  start: { to: 'on' }, stop: { to: 'off', graceMs }, 'soft-reboot': { to: 'reboot', hard: false, graceMs }, 'hard-reboot': { to: 'reboot', hard: true, graceMs: 0 },
  pause: { to: 'pause' }, unpause: { to: 'unpause' }, suspend: { to: 'suspend' }, resume: { to: 'resume' },
})

export interface LifecycleOptions {
  deps: Pick<ConductorDeps, 'bus'>
  runner: () => Runner
  /** How long a guest may take to shut itself down before it is switched off. */
  graceMs: number
  /** What the serial console may give at once. */
  consoleBytes: number
}

export function createLifecycle({ deps: { bus }, runner, graceMs, consoleBytes }: LifecycleOptions): Lifecycle {
  const changes = powerChanges(graceMs)
  const by = (ctx: Context): { actor: Context['actor'], requestId: string, traceId: string } => ({ actor: ctx.actor, requestId: ctx.requestId, traceId: ctx.traceId })
  return {
    async build(tx, ctx, { secrets, ...plan }) {
      await servers.planNics(tx, plan.serverId, plan.nics)
      await runner().start(tx, buildServer, { resourceId: plan.serverId, input: plan, sealed: secrets, ...by(ctx) })
    },

    async remove(tx, ctx, server) {
      if (server.taskState !== 'deleting') await servers.move(tx, server, { taskState: 'deleting' })
      await runner().preempt(tx, deleteServer, { resourceId: server.id, input: { serverId: server.id }, ...by(ctx) })
    },

    async power(tx, ctx, server, action) {
      if (server.host === null) throw conflict(`Instance ${server.id} has no host.`)
      await servers.move(tx, server, { taskState: powerMoves[action].task })
      await bus.cast(tx, asCompute(ctx), computeAgentBus, 'power', { serverId: server.id, generation: server.generation + 1, action, change: changes[action] }, { target: server.host, lane: server.id })
    },

    async consoleLog(ctx, server, lines) {
      if (server.host === null) throw conflict(`Instance ${server.id} is not ready`)
      const { base64 } = await bus.call(asCompute(ctx), computeAgentBus, 'consoleLog', { serverId: server.id, maxBytes: consoleBytes }, { target: server.host, timeoutMs: 15_000 })
      const text = Buffer.from(base64, 'base64').toString('utf8')
      if (lines === undefined || lines < 0) return text
      const all = text.replace(/\n$/, '').split('\n')
      return lines === 0 ? '' : all.slice(-lines).join('\n')
    },
  }
}

// Start, stop, reboot, pause, suspend and back. https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action
import { conflict } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { exact, oneOf } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { anything } from '../fields.ts'
import * as actions from '../instance-actions/store.ts'
import type { PowerAction } from '../lifecycle.ts'
import * as policy from './policy.ts'
import { mayDo, powerMoves } from './state.ts'
import type { Server } from './store.ts'
import { notLocked, target } from './target.ts'

async function change(ctx: Context, { power, ...server }: Server, action: PowerAction, { store, lifecycle, tracer }: Deps): Promise<void> {
  const { verb } = powerMoves[action], word = verb === 'reboot_hard' ? 'reboot' : verb as actions.ActionName
  notLocked(ctx.actor, server)
  mayDo(verb, server, power, word)
  if (server.host === null) throw conflict(`Instance ${server.id} is not ready`)
  // The lifecycle compares the record with what was read here: of two changes at once one gets a Conflict.
  await store.tx(async (tx) => {
    await actions.begin(tx, ctx, server.id, word)
    await lifecycle.power(tx, ctx, server, action)
  })
  tracer.bind(ctx, server.id)
}

const plain = (name: string, action: string, power: PowerAction, summary: string) => operation({
  name, method: 'POST', path: '/servers/{server_id}/action', action, summary, access: policy.change, target, status: 202, body: anything, faults: ['conflict'],
  handle: (ctx, { target }, deps) => change(ctx, target, power, deps),
})

export const startServer = plain('startServer', 'os-start', 'start', 'Start a stopped server.')
export const stopServer = plain('stopServer', 'os-stop', 'stop', 'Shut a server down.')
export const pauseServer = plain('pauseServer', 'pause', 'pause', 'Halt a server in memory.')
export const unpauseServer = plain('unpauseServer', 'unpause', 'unpause', 'Let a paused server go on.')
export const suspendServer = plain('suspendServer', 'suspend', 'suspend', 'Put a server to sleep.')
export const resumeServer = plain('resumeServer', 'resume', 'resume', 'Wake a suspended server.')

export const rebootServer = operation({
  name: 'rebootServer', method: 'POST', path: '/servers/{server_id}/action', action: 'reboot', summary: 'Restart a server, by its own shutdown (SOFT) or at once (HARD).', access: policy.change, target, status: 202,
  body: exact({ type: oneOf('HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft') }),
  faults: ['conflict'],
  handle: (ctx, { target, body }, deps) => change(ctx, target, body.type.toUpperCase() === 'HARD' ? 'hard-reboot' : 'soft-reboot', deps),
})

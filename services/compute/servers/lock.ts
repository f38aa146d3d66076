// Locks keep everybody but administrators from changing a server. https://docs.openstack.org/api-ref/compute/#lock-server-lock-action
import { forbidden } from '#base/errors.ts'
import { exact, nullable, reshaped, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { anything } from '../fields.ts'
import * as actions from '../instance-actions/store.ts'
import * as policy from './policy.ts'
import * as servers from './store.ts'
import { target } from './target.ts'

/** What stands behind `lock` is versioned as a field of this object. */
const reason = nullable(exact({ locked_reason: reshaped({ '2.1': null, '2.73': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }) }))

export const lockServer = operation({
  name: 'lockServer', method: 'POST', path: '/servers/{server_id}/action', action: 'lock', summary: 'Lock a server.', access: policy.change, target, status: 202, body: reason,
  async handle(ctx, { target, body }, { store }) {
    const own = ctx.actor.projectId === target.projectId
    // An administrator's lock is not weakened by its owner's.
    if (target.lockedBy !== null && own) return
    await store.tx(async (tx) => {
      await servers.amend(tx, target.id, { lockedBy: own ? 'owner' : 'admin', lockedReason: body?.locked_reason ?? null })
      await actions.begin(tx, ctx, target.id, 'lock')
    })
  },
})

export const unlockServer = operation({
  name: 'unlockServer', method: 'POST', path: '/servers/{server_id}/action', action: 'unlock', summary: 'Unlock a server.', access: policy.change, target, status: 202, body: anything,
  async handle(ctx, { target }, { store }) {
    if (target.lockedBy === 'admin' && !policy.unlockAny.allows(ctx.actor)) throw forbidden('Policy doesn\'t allow os_compute_api:os-lock-server:unlock:unlock_override to be performed.')
    await store.tx(async (tx) => {
      await servers.amend(tx, target.id, { lockedBy: null, lockedReason: null })
      await actions.begin(tx, ctx, target.id, 'unlock')
    })
  },
})

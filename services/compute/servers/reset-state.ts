// For administrators: say what state a server's record is in. https://docs.openstack.org/api-ref/compute/#reset-server-state-os-resetstate-action
import { exact, oneOf } from '#kit/http/schema.ts'
import { move } from '../conductor/servers-store.ts'
import { operation } from '../deps.ts'
import * as policy from './policy.ts'
import { target } from './target.ts'

export const resetServerState = operation({
  name: 'resetServerState', method: 'POST', path: '/servers/{server_id}/action', action: 'os-resetState', summary: 'Set a server\'s state.', access: policy.resetState, target, status: 202,
  body: exact({ state: oneOf('active', 'error') }),
  handle: (_ctx, { target, body }, { store }) => store.tx((tx) => move(tx, target, { vmState: body.state, taskState: null })),
})

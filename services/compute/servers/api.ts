// Show, change and delete a server; lists are in list.ts, creation in create.ts. https://docs.openstack.org/api-ref/compute/#servers-servers
import type { Context } from '#base/context.ts'
import type { Urls, Version } from '#kit/http/operation.ts'
import { exact, oneOf, reshaped, since, Type } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { anything, canonicalIpV6, description, hostName, name } from '../fields.ts'
import * as actions from '../instance-actions/store.ts'
import { aroundOf } from './list.ts'
import * as policy from './policy.ts'
import * as servers from './store.ts'
import type { Server } from './store.ts'
import { notLocked, serverMissing, target } from './target.ts'
import { serverView } from './view.ts'

/** One server as its version shows it. */
async function shown(ctx: Context, server: Server, version: Version, urls: Urls, deps: Deps, reduced = false): Promise<object> {
  const grouped = version.since('2.71')
  const [around, group] = await Promise.all([aroundOf(ctx, [server], version, deps), grouped ? deps.store.read((tx) => servers.groupOf(tx, server.id)) : undefined])
  return { server: serverView(ctx.actor, version, urls, { ...around, ...(grouped && { groups: group === undefined ? [] : [group] }) }, reduced)(server) }
}

export const showServer = operation({
  name: 'showServer', method: 'GET', path: '/servers/{server_id}', summary: 'Show a server.', access: policy.show, target,
  handle: (ctx, { target, version, urls }, deps) => shown(ctx, target, version, urls, deps),
})

/** nova lets an empty text take the address away. */
const address = (format: 'ipv4' | 'ipv6') => Type.Optional(Type.Union([Type.String({ format }), Type.Literal('')]))

export const updateServer = operation({
  name: 'updateServer', method: 'PUT', path: '/servers/{server_id}', summary: 'Change a server\'s name, description, addresses or host name.', access: policy.change, target,
  body: exact({ server: exact({
    name: Type.Optional(name), 'OS-DCF:diskConfig': Type.Optional(oneOf('AUTO', 'MANUAL')), accessIPv4: address('ipv4'), accessIPv6: address('ipv6'), description: since('2.19', Type.Optional(description)),
    hostname: reshaped({ '2.1': null, '2.90': Type.Optional(Type.String({ minLength: 2, maxLength: 63, pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$' })), '2.94': Type.Optional(hostName) }),
  }) }),
  async handle(ctx, { target, body: { server: s }, version, urls }, deps) {
    const changed = await deps.store.tx(async (tx) => {
      const there = await servers.amend(tx, target.id, {
        ...(s.name !== undefined && { name: s.name }), ...(s.description !== undefined && { description: s.description }), ...(s.hostname !== undefined && { hostname: s.hostname as string }),
        ...(s['OS-DCF:diskConfig'] !== undefined && { diskConfig: s['OS-DCF:diskConfig'] as 'AUTO' | 'MANUAL' }),
        ...(s.accessIPv4 !== undefined && { accessIpV4: s.accessIPv4 || null }), ...(s.accessIPv6 !== undefined && { accessIpV6: s.accessIPv6 === '' ? null : canonicalIpV6(s.accessIPv6) }),
      })
      return there ? servers.find(tx, target.id) : undefined
    })
    if (!changed) throw serverMissing(target.id)
    return shown(ctx, changed, version, urls, deps, !version.since('2.75'))
  },
})

/** Deleting is accepted in every state, also while the server is being built, and as often as it is asked. */
async function remove(ctx: Context, server: Server, { store, lifecycle, tracer }: Deps): Promise<void> {
  notLocked(ctx.actor, server)
  await store.tx(async (tx) => {
    const row = await servers.find(tx, server.id)
    if (!row) throw serverMissing(server.id)
    const { power: _power, ...record } = row
    await actions.begin(tx, ctx, server.id, 'delete')
    await lifecycle.remove(tx, ctx, record)
  })
  tracer.bind(ctx, server.id)
}

export const deleteServer = operation({
  name: 'deleteServer', method: 'DELETE', path: '/servers/{server_id}', summary: 'Delete a server.', access: policy.change, target, status: 204,
  faults: ['conflict'],
  handle: (ctx, { target }, deps) => remove(ctx, target, deps),
})

export const forceDeleteServer = operation({
  name: 'forceDeleteServer', method: 'POST', path: '/servers/{server_id}/action', action: 'forceDelete', summary: 'Delete a server; the same as DELETE, for nothing is deleted softly here.', access: policy.change, target, status: 202, body: anything,
  faults: ['conflict'],
  handle: (ctx, { target }, deps) => remove(ctx, target, deps),
})

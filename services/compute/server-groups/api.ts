// https://docs.openstack.org/api-ref/compute/#server-groups-os-server-groups
import { badRequest, forbidden, notFound, overQuota } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Version } from '#kit/http/operation.ts'
import { exact, exactSince, oneOf, reshaped, since, Type } from '#kit/http/schema.ts'
import { all, any, projectScope, role } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { asNumber, name, wholeNumber } from '../fields.ts'
import { pageSize } from '../links.ts'
import { admin, member, reader } from '../policy.ts'
import { countGroup } from '../quotas/store.ts'
import type { ServerGroupRow } from '../schema.ts'
import * as groups from './store.ts'
import { maxPerHost, type ServerGroup } from './store.ts'

const view = (g: ServerGroup, version: Version): object => {
  const most = maxPerHost(g)
  return {
    id: g.id, name: g.name, members: g.members, ...(version.since('2.64') ? { policy: g.policy, rules: most === undefined ? {} : { max_server_per_host: most } } : { policies: [g.policy], metadata: {} }),
    ...(version.since('2.13') && { project_id: g.projectId, user_id: g.userId }),
  }
}
const missing = (id: string): Error => notFound(`Instance group ${id.slice(0, 60)} could not be found.`)
const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => groups.find(tx, params.server_group_id!)),
  sees: reader, missing: (params: Record<string, string>) => missing(params.server_group_id!),
}

export const listServerGroups = operation({
  name: 'listServerGroups', method: 'GET', path: '/os-server-groups', summary: 'List server groups.', access: any(admin, all(role('reader'), projectScope)),
  query: exactSince('2.75', { all_projects: Type.Optional(Type.String()), limit: Type.Optional(Type.Integer({ minimum: 0 })), offset: Type.Optional(Type.Integer({ minimum: 0 })) }),
  async handle(ctx, { query, version }, { store }) {
    // Anybody else who asks for all projects gets his own, as in nova.
    const everything = query.all_projects !== undefined && admin.allows(ctx.actor)
    const rows = await store.read((tx) => groups.list(tx, everything ? undefined : ctx.actor.projectId ?? '', pageSize(query.limit || undefined), query.offset ?? 0))
    return { server_groups: rows.map((g) => view(g, version)) }
  },
})

export const showServerGroup = operation({
  name: 'showServerGroup', method: 'GET', path: '/os-server-groups/{server_group_id}', summary: 'Show a server group.', access: reader, target,
  handle: async (_ctx, { target, version }) => ({ server_group: view(target, version) }),
})

const onePolicy = (...names: string[]) => Type.Array(oneOf(...names), { minItems: 1, maxItems: 1 })
const every = ['anti-affinity', 'affinity', 'soft-anti-affinity', 'soft-affinity'] as const

export const createServerGroup = operation({
  name: 'createServerGroup', method: 'POST', path: '/os-server-groups', summary: 'Create a server group.', access: any(admin, all(role('member'), projectScope)), status: 200,
  body: exact({ server_group: exact({
    name, policies: reshaped({ '2.1': onePolicy('anti-affinity', 'affinity'), '2.15': onePolicy(...every), '2.64': null }), policy: reshaped({ '2.1': null, '2.64': oneOf(...every) }),
    rules: since('2.64', Type.Optional(exact({ max_server_per_host: Type.Optional(wholeNumber(1)) }))),
  }) }),
  faults: ['overQuota'],
  async handle(ctx, { body: { server_group: g }, version }, { store }) {
    const { projectId, userId } = ctx.actor
    if (projectId === undefined) throw forbidden('A server group belongs to a project: a token that is scoped to one is required.')
    const policy = (g.policy ?? g.policies![0]) as ServerGroupRow['policy'], most = g.rules?.max_server_per_host
    if (most !== undefined && policy !== 'anti-affinity') throw badRequest('Only anti-affinity policy supports rules.')
    const row: ServerGroupRow = { id: newId(), projectId, userId, name: g.name, policy, rules: JSON.stringify(most === undefined ? {} : { max_server_per_host: asNumber('max_server_per_host', most, 1) }), createdAt: now() }
    await store.tx(async (tx) => {
      if (!await countGroup(tx, { projectId, userId }, 1)) throw overQuota('Quota exceeded, too many server groups.')
      await groups.add(tx, row)
    })
    return { server_group: view({ ...row, members: [] }, version) }
  },
})

export const deleteServerGroup = operation({
  name: 'deleteServerGroup', method: 'DELETE', path: '/os-server-groups/{server_group_id}', summary: 'Delete a server group; its servers stay.', access: member, target, status: 204,
  handle: (_ctx, { target }, { store }) => store.tx(async (tx) => {
    if (!await groups.remove(tx, target.id)) throw missing(target.id)
    await countGroup(tx, target, -1)
  }),
})

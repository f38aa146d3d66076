// https://docs.openstack.org/api-ref/compute/#servers-actions-servers-os-instance-actions
import { badRequest, notFound } from '#base/errors.ts'
import { microsNoZone } from '#base/time.ts'
import { exactSince, since, Type } from '#kit/http/schema.ts'
import type { Version } from '#kit/http/operation.ts'
import { operation, type Deps } from '../deps.ts'
import { asInstant } from '../fields.ts'
import { pageLinks, pageSize } from '../links.ts'
import { admin } from '../policy.ts'
import type { ActionEventRow, ActionRow } from '../schema.ts'
import * as policy from '../servers/policy.ts'
import * as servers from '../servers/store.ts'
import { serverMissing } from '../servers/target.ts'
import { hostIdOf } from '../servers/view.ts'
import * as actions from './store.ts'

/** From 2.21 on what was done to deleted servers can be seen too. */
const target = {
  async load(_ctx: unknown, params: Record<string, string>, { store }: Deps, { version }: { version: Version }) {
    const server = await store.read((tx) => servers.findEver(tx, params.server_id!))
    return server && (server.deletedAt === null || version.since('2.21')) ? server : undefined
  },
  sees: policy.show,
  missing: (params: Record<string, string>) => serverMissing(params.server_id!),
}

const view = (row: ActionRow, version: Version): object => ({
  action: row.action, instance_uuid: row.serverId, request_id: row.requestId, user_id: row.userId, project_id: row.projectId, start_time: microsNoZone(row.startedAt), message: row.message,
  ...(version.since('2.58') && { updated_at: microsNoZone(row.updatedAt) }),
})

const instant = Type.Optional(Type.String())

export const listInstanceActions = operation({
  name: 'listInstanceActions', method: 'GET', path: '/servers/{server_id}/os-instance-actions', summary: 'List what was done to a server.', access: policy.show, target,
  query: exactSince('2.58', { limit: since('2.58', Type.Optional(Type.Integer({ minimum: 0 }))), marker: since('2.58', Type.Optional(Type.String())), 'changes-since': since('2.58', instant), 'changes-before': since('2.66', instant) }),
  async handle(_ctx, { target, query, version, urls }, { store }) {
    const paged = version.since('2.58')
    const iso = (field: 'changes-since' | 'changes-before'): string | undefined => (query[field] === undefined ? undefined : asInstant(field, query[field]))
    const page = paged ? { limit: pageSize(query.limit), marker: query.marker, changesSince: iso('changes-since'), changesBefore: version.since('2.66') ? iso('changes-before') : undefined } : {}
    if (page.changesSince && page.changesBefore && page.changesBefore < page.changesSince) throw badRequest('The value of changes-since must be less than or equal to changes-before.')
    const rows = await store.read((tx) => actions.list(tx, target.id, page))
    if (!rows) throw badRequest(`Marker ${query.marker!.slice(0, 60)} could not be found.`)
    return {
      instanceActions: rows.map((row) => view(row, version)),
      ...(paged && pageLinks('links', urls, `servers/${target.id}/os-instance-actions`, rows.length, query.limit, rows.at(-1)?.requestId)),
    }
  },
})

export const showInstanceAction = operation({
  name: 'showInstanceAction', method: 'GET', path: '/servers/{server_id}/os-instance-actions/{request_id}', summary: 'Show one thing that was done to a server, and its parts.', access: policy.show, target,
  async handle(ctx, { target, params, version }, { store }) {
    const isAdmin = admin.allows(ctx.actor)
    const { row, events } = await store.read(async (tx) => {
      const row = await actions.find(tx, target.id, params.request_id!)
      return { row, events: row ? await actions.events(tx, row.id) : [] }
    })
    if (!row) throw notFound(`Action for request_id ${params.request_id!.slice(0, 60)} on instance ${target.id} not found`)
    const eventView = (e: ActionEventRow): object => ({
      event: e.event, start_time: microsNoZone(e.startedAt), finish_time: e.finishedAt && microsNoZone(e.finishedAt), result: e.result, ...(isAdmin && { traceback: null }),
      ...(version.since('2.62') && { hostId: hostIdOf(e.host, target.projectId), ...(isAdmin && { host: e.host }) }), ...(version.since('2.84') && { details: e.details }),
    })
    return { instanceAction: { ...view(row, version), ...((isAdmin || version.since('2.51')) && { events: events.map(eventView) }) } }
  },
})

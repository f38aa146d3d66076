// What was done to servers, by whom and when; outlives them.
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Context } from '#base/context.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { ActionEventRow, ActionRow } from '../schema.ts'

/** nova's words. */
export type ActionName = 'create' | 'delete' | 'start' | 'stop' | 'reboot' | 'pause' | 'unpause' | 'suspend' | 'resume' | 'lock' | 'unlock' | 'attach_interface' | 'detach_interface'

/** One request is one action of a server. */
export const begin = async (tx: ComputeTx, ctx: Pick<Context, 'actor' | 'requestId'>, serverId: string, action: ActionName): Promise<void> => {
  const at = now()
  await insertIfAbsent(tx, 'computeActions', {
    id: newId(), serverId, requestId: ctx.requestId, action, userId: ctx.actor.userId, projectId: ctx.actor.projectId ?? '', startedAt: at, updatedAt: at, message: null,
  })
}

/** A part of the work, done: `conductor_build`, `compute_stop_instance` … Nothing happens when the request is no action of this server. */
export async function event(tx: ComputeTx, serverId: string, requestId: string, what: { event: string, startedAt: string, host?: string | null, failed?: string }): Promise<void> {
  const action = await tx.db.selectFrom('computeActions').select('id').where('serverId', '=', serverId).where('requestId', '=', requestId).executeTakeFirst()
  if (!action) return
  const at = now()
  await tx.db.insertInto('computeActionEvents').values({
    id: newId(), actionId: action.id, event: what.event, startedAt: what.startedAt, finishedAt: at, result: what.failed === undefined ? 'Success' : 'Error', host: what.host ?? null, details: what.failed ?? null,
  }).execute()
  await tx.db.updateTable('computeActions').set({ updatedAt: at, ...(what.failed !== undefined && { message: 'Error' }) }).where('id', '=', action.id).execute()
}

export interface ActionPage { limit?: number, marker?: string, changesSince?: string, changesBefore?: string }

/** Newest first; undefined when the marker is none of the server's. */
export async function list(tx: ComputeTx, serverId: string, page: ActionPage): Promise<ActionRow[] | undefined> {
  let query = tx.db.selectFrom('computeActions').selectAll().where('serverId', '=', serverId)
  if (page.changesSince !== undefined) query = query.where('updatedAt', '>=', page.changesSince)
  if (page.changesBefore !== undefined) query = query.where('updatedAt', '<=', page.changesBefore)
  if (page.marker !== undefined) {
    const at = await find(tx, serverId, page.marker)
    if (!at) return undefined
    query = query.where((e) => e.or([e('startedAt', '<', at.startedAt), e.and([e('startedAt', '=', at.startedAt), e('id', '<', at.id)])]))
  }
  query = query.orderBy('startedAt', 'desc').orderBy('id', 'desc')
  return (page.limit === undefined ? query : query.limit(page.limit)).execute()
}

export const find = (tx: ComputeTx, serverId: string, requestId: string): Promise<ActionRow | undefined> =>
  tx.db.selectFrom('computeActions').selectAll().where('serverId', '=', serverId).where('requestId', '=', requestId).executeTakeFirst()

export const events = (tx: ComputeTx, actionId: string): Promise<ActionEventRow[]> =>
  tx.db.selectFrom('computeActionEvents').selectAll().where('actionId', '=', actionId).orderBy('startedAt', 'desc').execute()

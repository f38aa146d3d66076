// What was done to servers, by whom and when; outlives them.
import { createHash } from 'node:crypto'
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

/** The part of an action's work that this cloud tells of, in nova's words. */
export const eventOf: Record<Exclude<ActionName, 'lock' | 'unlock'>, string> = {
  create: 'compute__do_build_and_run_instance', delete: 'compute_terminate_instance', start: 'compute_start_instance', stop: 'compute_stop_instance', reboot: 'compute_reboot_instance', pause: 'compute_pause_instance',
  unpause: 'compute_unpause_instance', suspend: 'compute_suspend_instance', resume: 'compute_resume_instance', attach_interface: 'compute_attach_interface', detach_interface: 'compute_detach_interface',
}

/** The work of a request is over; `failed` says why it failed. Said twice is said once. Nothing happens when the request is no action of this server. */
export async function end(tx: ComputeTx, serverId: string, requestId: string, how: { host?: string | null, failed?: string } = {}): Promise<void> {
  const action = await find(tx, serverId, requestId), event = action && eventOf[action.action as keyof typeof eventOf]
  if (!action || event === undefined) return
  const at = now(), id = createHash('sha256').update(`${action.id}/${event}`).digest('hex')
  const said = await insertIfAbsent(tx, 'computeActionEvents', {
    id, actionId: action.id, event, startedAt: action.startedAt, finishedAt: at, result: how.failed === undefined ? 'Success' : 'Error', host: how.host ?? null, details: how.failed ?? null,
  })
  if (said) await tx.db.updateTable('computeActions').set({ updatedAt: at, ...(how.failed !== undefined && { message: 'Error' }) }).where('id', '=', action.id).execute()
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

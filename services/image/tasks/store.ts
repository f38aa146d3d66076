// Rows of tasks.
import { after, now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { TaskRow, TaskStatus } from '../schema.ts'

export const add = async (tx: ImageTx, task: Omit<TaskRow, 'status' | 'result' | 'message' | 'createdAt' | 'updatedAt' | 'expiresAt'>): Promise<TaskRow> => {
  const row: TaskRow = { ...task, status: 'pending', result: null, message: '', createdAt: now(), updatedAt: now(), expiresAt: null }
  await insert(tx, 'imageTasks', { ...row })
  return row
}

const alive = (tx: ImageTx) => tx.db.selectFrom('imageTasks').selectAll().where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', now())]))
export const find = (tx: ImageTx, id: string): Promise<TaskRow | undefined> => alive(tx).where('id', '=', id).executeTakeFirst()
export const ofImage = (tx: ImageTx, imageId: string): Promise<TaskRow[]> =>
  alive(tx).where('imageId', '=', imageId).orderBy('createdAt', 'desc').orderBy('id').limit(1000).execute()

export const taskSortKeys = { id: 'id', type: 'type', status: 'status', created_at: 'createdAt', updated_at: 'updatedAt', expires_at: 'expiresAt' } as const
/** What a list is narrowed to, and which page. */
export interface TaskQuery { status?: string, type?: string, sort: (typeof taskSortKeys)[keyof typeof taskSortKeys], direction: 'asc' | 'desc', marker?: TaskRow, limit: number }

export async function list(tx: ImageTx, { status, type, sort, direction, marker, limit }: TaskQuery): Promise<TaskRow[]> {
  let query = alive(tx)
  if (status !== undefined) query = query.where('status', '=', status as TaskStatus)
  if (type !== undefined) query = query.where('type', '=', type as TaskRow['type'])
  const op = direction === 'asc' ? '>' as const : '<' as const
  if (marker) {
    // An absent expiry sorts as an empty one, on every engine alike.
    const value = marker[sort] ?? ''
    query = query.where((eb) => eb.or([
      eb(eb.fn.coalesce(sort, eb.val('')), op, value), eb.and([eb(eb.fn.coalesce(sort, eb.val('')), '=', value), eb('id', op, marker.id)]),
    ]))
  }
  return query.orderBy((eb) => eb.fn.coalesce(sort, eb.val('')), direction).orderBy('id', direction).limit(limit).execute()
}

/** It is processing from now on. */
export const begin = async (tx: ImageTx, id: string): Promise<void> => { await change(tx, 'imageTasks', { id, status: 'pending' }, { status: 'processing', updatedAt: now() }) }
/** What it has come to, for who looks. */
export const tell = async (tx: ImageTx, id: string, message: string): Promise<void> => {
  await change(tx, 'imageTasks', { id, status: 'processing' }, { message, updatedAt: now() })
}
/** Ends it once: a later end changes nothing. */
export const end = async (tx: ImageTx, id: string, to: 'success' | 'failure', message: string, result: object | null, lifeMs: number): Promise<void> => {
  await change(tx, 'imageTasks', { id, status: ['pending', 'processing'] }, {
    status: to, message, result: result === null ? null : JSON.stringify(result), updatedAt: now(), expiresAt: after(lifeMs),
  })
}
export const removeExpired = async (tx: ImageTx): Promise<void> => { await tx.db.deleteFrom('imageTasks').where('expiresAt', '<=', now()).execute() }

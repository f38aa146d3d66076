// Servers that ran at some time within a period, the deleted ones included.
import type { ComputeTx } from '../deps.ts'
import type { ServerRow } from '../schema.ts'

export interface Period { startAt: string, stopAt: string }

export async function ranDuring(tx: ComputeTx, { startAt, stopAt }: Period, projectId: string | undefined, limit: number, marker?: string): Promise<ServerRow[]> {
  let query = tx.db.selectFrom('computeServers').selectAll().where('launchedAt', '<=', stopAt).where((e) => e.or([e('terminatedAt', 'is', null), e('terminatedAt', '>', startAt)]))
  if (projectId !== undefined) query = query.where('projectId', '=', projectId)
  if (marker !== undefined) query = query.where('id', '>', marker)
  return query.orderBy('id').limit(limit).execute()
}

export const exists = async (tx: ComputeTx, id: string): Promise<boolean> => await tx.db.selectFrom('computeServers').select('id').where('id', '=', id).executeTakeFirst() !== undefined

// The journal's SQL: loading a saga, fenced writes, and who may hold a resource.
import type { Tx } from '#kit/store/store.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { SagaRow, SagaState, SagaTables, StepRow } from './schema.ts'

type STx = Tx<SagaTables>

export type StepChange = { insert: StepRow } | { update: string, set: Partial<StepRow> }

/** The lease under which a write is allowed. */
export interface Fence { id: string, epoch: number, state: SagaState }

/** Changes the saga's row and its steps if the epoch and state still are as the writer believes; false (and nothing written) otherwise. */
export async function writeJournal(tx: STx, fence: Fence, set: Partial<SagaRow>, steps: StepChange[]): Promise<boolean> {
  const { numUpdatedRows } = await tx.db.updateTable('kitSagas').set((eb) => ({ ...set, writes: eb('writes', '+', 1) }))
    .where('id', '=', fence.id).where('epoch', '=', fence.epoch).where('state', '=', fence.state).executeTakeFirst()
  if (Number(numUpdatedRows) === 0) return false
  const inserts = steps.flatMap((s) => 'insert' in s ? [s.insert] : [])
  if (inserts.length > 0) await insert(tx, 'kitSagaSteps', inserts as never)
  for (const step of steps) {
    if ('update' in step) await tx.db.updateTable('kitSagaSteps').set(step.set).where('sagaId', '=', fence.id).where('path', '=', step.update).execute()
  }
  return true
}

export const findSaga = (tx: STx, id: string): Promise<SagaRow | undefined> =>
  tx.db.selectFrom('kitSagas').selectAll().where('id', '=', id).executeTakeFirst()

export const stepsOf = (tx: STx, id: string): Promise<StepRow[]> =>
  tx.db.selectFrom('kitSagaSteps').selectAll().where('sagaId', '=', id).execute()

/** The newest saga of a resource: epochs rise from one to the next; a queued one has none yet. */
export const lastSaga = (tx: STx, resourceId: string): Promise<SagaRow | undefined> =>
  tx.db.selectFrom('kitSagas').selectAll().where('resourceId', '=', resourceId).where('state', '<>', 'queued').orderBy('epoch', 'desc').limit(1).executeTakeFirst()

export const highestEpoch = async (tx: STx, resourceId: string): Promise<number> =>
  Number((await tx.db.selectFrom('kitSagas').select((eb) => eb.fn.max('epoch').as('epoch')).where('resourceId', '=', resourceId).executeTakeFirst())?.epoch ?? 0)

/** Locks the resource's live saga for the rest of the transaction, against its ending meanwhile; undefined when there is none. */
export async function lockHolder(tx: STx, resourceId: string): Promise<SagaRow | undefined> {
  const { numUpdatedRows } = await tx.db.updateTable('kitSagas').set((eb) => ({ writes: eb('writes', '+', 1) })).where('holds', '=', resourceId).executeTakeFirst()
  return Number(numUpdatedRows) === 0 ? undefined : tx.db.selectFrom('kitSagas').selectAll().where('holds', '=', resourceId).executeTakeFirst()
}

export const findQueued = (tx: STx, resourceId: string): Promise<SagaRow | undefined> =>
  tx.db.selectFrom('kitSagas').selectAll().where('waits', '=', resourceId).executeTakeFirst()

/** Lets the saga queued for the resource begin. Only after the holder let go in the same transaction, or when there is none. */
export async function promote(tx: STx, resourceId: string, owner: string | null, leaseUntil: string, mine: (name: string) => boolean): Promise<SagaRow | undefined> {
  const queued = await findQueued(tx, resourceId)
  if (!queued) return undefined
  const set = { state: 'running' as const, holds: resourceId, waits: null, owner: mine(queued.name) ? owner : null, epoch: await highestEpoch(tx, resourceId) + 1, leaseUntil }
  if (await change(tx as Tx, 'kitSagas', { id: queued.id, state: 'queued' }, set) === 0) return undefined
  return { ...queued, ...set }
}

/** Queued sagas whose resource nobody holds: left over only if an ending was lost, looked for by the scan. */
export const orphanedQueue = (tx: STx): Promise<{ resourceId: string }[]> =>
  tx.db.selectFrom('kitSagas as q').select('q.resourceId').where('q.state', '=', 'queued')
    .where((eb) => eb.not(eb.exists(eb.selectFrom('kitSagas as h').select('h.id').whereRef('h.holds', '=', 'q.waits')))).limit(100).execute()

/** Live sagas that nobody works on: no owner, an expired lease, or (if `suspect` is given) an owner that it knows to be dead. */
export async function abandoned(tx: STx, names: string[], nowAt: string, me: string, suspect?: (owner: string) => boolean): Promise<SagaRow[]> {
  let query = tx.db.selectFrom('kitSagas').selectAll().where('state', 'in', ['running', 'aborting']).where('name', 'in', names)
  query = suspect ? query.where((eb) => eb.or([eb('owner', 'is', null), eb('owner', '<>', me)])) : query.where((eb) => eb.or([eb('owner', 'is', null), eb('leaseUntil', '<', nowAt)]))
  return (await query.execute()).filter((r) => r.owner === null || (r.owner !== me && (r.leaseUntil < nowAt || suspect?.(r.owner))))
}

/** Takes a saga over under a new epoch; false when somebody else did first. */
export const takeOver = async (tx: STx, row: SagaRow, owner: string, leaseUntil: string): Promise<boolean> =>
  await change(tx as Tx, 'kitSagas', { id: row.id, epoch: row.epoch, owner: row.owner, state: ['running', 'aborting'] }, { owner, epoch: Number(row.epoch) + 1, leaseUntil }) === 1

/** Prolongs every lease of a runner; answers what it still owns. */
export async function renewLeases(tx: STx, owner: string, leaseUntil: string): Promise<Pick<SagaRow, 'id' | 'epoch' | 'state' | 'fault'>[]> {
  await tx.db.updateTable('kitSagas').set({ leaseUntil }).where('owner', '=', owner).execute()
  return tx.db.selectFrom('kitSagas').select(['id', 'epoch', 'state', 'fault']).where('owner', '=', owner).execute()
}

/** Gives all leases of a runner back, so that others need not wait for their end. */
export const releaseAll = (tx: STx, owner: string): Promise<number> => change(tx as Tx, 'kitSagas', { owner }, { owner: null })

export interface SagaQuery { states?: SagaState[], resourceId?: string, limit?: number }
export const listSagas = (tx: STx, q: SagaQuery): Promise<SagaRow[]> => {
  let query = tx.db.selectFrom('kitSagas').selectAll()
  if (q.states) query = query.where('state', 'in', q.states)
  if (q.resourceId !== undefined) query = query.where('resourceId', '=', q.resourceId)
  return query.orderBy('startedAt').orderBy('id').limit(q.limit ?? 1000).execute()
}

/** How many sagas there are in each state. */
export async function countSagas(tx: STx): Promise<Partial<Record<SagaState, number>>> {
  const rows = await tx.db.selectFrom('kitSagas').select('state').select(({ fn }) => fn.countAll().as('n')).groupBy('state').execute()
  return Object.fromEntries(rows.map((r) => [r.state, Number(r.n)]))
}

/** Resources with ended sagas older than `before`, after `afterId`, in order. */
export const resourcesEndedBefore = async (tx: STx, before: string, afterId: string, limit: number): Promise<string[]> =>
  (await tx.db.selectFrom('kitSagas').select('resourceId').distinct().where('state', 'in', ['done', 'failed']).where('endedAt', '<', before)
    .where('resourceId', '>', afterId).orderBy('resourceId').limit(limit).execute()).map((r) => r.resourceId)

/** Removes a resource's ended sagas and their steps; answers how many sagas. */
export async function removeEnded(tx: STx, resourceId: string, before: string): Promise<number> {
  const ids = (await tx.db.selectFrom('kitSagas').select('id').where('resourceId', '=', resourceId).where('state', 'in', ['done', 'failed']).where('endedAt', '<', before).execute()).map((r) => r.id)
  if (ids.length === 0) return 0
  await tx.db.deleteFrom('kitSagaSteps').where('sagaId', 'in', ids).execute()
  await tx.db.deleteFrom('kitSagas').where('id', 'in', ids).execute()
  return ids.length
}

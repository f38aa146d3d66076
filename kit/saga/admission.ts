// Who may work on a resource: one live saga, and at most one that waits for it (law f). Kept by unique indexes, not by memory.
import type { Actor } from '#base/context.ts'
import { conflict } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { insert, insertIfAbsent } from '#kit/store/rows.ts'
import type { Tx } from '#kit/store/store.ts'
import type { Saga, SagaFault } from './saga.ts'
import type { SagaRow, SagaTables } from './schema.ts'
import { findQueued, highestEpoch, lockHolder } from './store.ts'

/** What a saga starts with. A Context may be spread into it for the last three. */
export interface StartOptions<Input, Sealed = object> {
  /** The saga's own id, minted before; a new one if absent. */
  id?: string
  /** The one resource it works on (a server's id). */
  resourceId: string
  /** JSON. Ids and plain facts, never secrets. */
  input: Input
  /** Secrets, kept encrypted until the saga ends. */
  sealed?: Sealed
  actor: Actor
  requestId: string
  traceId: string
}

/** now: it runs. queued: it runs when the resource's live saga has ended. already: the same saga was there before, running or queued. */
export interface Admitted { id: string, began: 'now' | 'queued' | 'already' }

export interface Terms {
  /** Who gets the lease; null for whoever finds it. */
  owner: string | null
  nowAt: string
  leaseUntil: string
  seal: (sagaId: string, value: object) => string
}

const busy = () => conflict('Another operation on this resource is still running')

function newRow<I, S>(saga: Saga, options: StartOptions<I, S>, terms: Terms): SagaRow {
  const id = options.id ?? newId()
  const { actor, requestId, traceId, resourceId, sealed } = options
  return {
    id, name: saga.name, resourceId, holds: null, waits: null, state: 'queued', stuckFrom: null, pivoted: 0, owner: null, epoch: 0, leaseUntil: terms.leaseUntil, writes: 0,
    input: JSON.stringify(options.input ?? null), sealed: sealed === undefined ? null : terms.seal(id, sealed as object), actor: JSON.stringify(actor), requestId, traceId,
    fault: null, trouble: null, startedAt: terms.nowAt, endedAt: null,
  }
}

/** Inserts a running saga; a Conflict fault when the resource has a live one. */
export async function admit<I, S>(tx: Tx<SagaTables>, saga: Saga, options: StartOptions<I, S>, terms: Terms): Promise<SagaRow> {
  const { resourceId } = options
  const held = await tx.db.selectFrom('kitSagas').select('id').where('holds', '=', resourceId).executeTakeFirst()
  if (held) throw busy()
  const row: SagaRow = { ...newRow(saga, options, terms), state: 'running', holds: resourceId, owner: terms.owner, epoch: await highestEpoch(tx, resourceId) + 1 }
  await insert(tx as Tx, 'kitSagas', row as never, busy)
  return row
}

export interface Preemption {
  admitted: Admitted
  /** To be run from now on. */
  running?: SagaRow
  /** Its row says aborting from now on, and why. */
  aborting?: { id: string, fault: SagaFault }
}

/** Starts `saga` now, or marks what runs as aborting and queues `saga` behind it. A live saga past its pivot is left to end forward. */
export async function preempt<I, S>(tx: Tx<SagaTables>, saga: Saga, options: StartOptions<I, S>, terms: Terms): Promise<Preemption> {
  const { resourceId } = options
  const held = await lockHolder(tx, resourceId)
  if (!held) {
    const row = await admit(tx, saga, options, terms)
    return { admitted: { id: row.id, began: 'now' }, running: row }
  }
  const same = held.name === saga.name
  const forward = same || Number(held.pivoted) === 1
  const fault: SagaFault = { kind: 'conflict', type: 'Preempted', message: `Interrupted by ${saga.name}` }
  let running: SagaRow | undefined
  let aborting: Preemption['aborting']
  if (held.state === 'stuck') {
    // Asking again is a retry: perhaps what hindered it is gone.
    running = await revive(tx, held, forward ? held.stuckFrom ?? 'running' : 'aborting', held.fault ?? (forward ? null : JSON.stringify(fault)), terms)
  } else if (!forward && held.state === 'running') {
    await tx.db.updateTable('kitSagas').set({ state: 'aborting', fault: JSON.stringify(fault) }).where('id', '=', held.id).execute()
    aborting = { id: held.id, fault }
  }
  const also = { ...(running && { running }), ...(aborting && { aborting }) }
  if (same) return { admitted: { id: held.id, began: 'already' }, ...also }

  const queued = await findQueued(tx, resourceId)
  if (queued && queued.name !== saga.name) throw busy()
  const row: SagaRow = { ...newRow(saga, options, terms), waits: resourceId }
  if (!queued && await insertIfAbsent(tx as Tx, 'kitSagas', row as never)) return { admitted: { id: row.id, began: 'queued' }, ...also }
  return { admitted: { id: (queued ?? await findQueued(tx, resourceId))?.id ?? row.id, began: 'already' }, ...also }
}

/** Lets a stuck saga go on under a new epoch. */
export async function revive(tx: Tx<SagaTables>, row: SagaRow, state: SagaRow['state'], fault: string | null, terms: Terms): Promise<SagaRow> {
  const set = { state, fault, stuckFrom: null, owner: terms.owner, epoch: Number(row.epoch) + 1, leaseUntil: terms.leaseUntil }
  await tx.db.updateTable('kitSagas').set(set).where('id', '=', row.id).where('state', '=', 'stuck').execute()
  return { ...row, ...set }
}

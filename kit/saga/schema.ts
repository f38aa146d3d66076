// The saga journal's tables. They lie in the database of the rows that sagas change, so that both start in one transaction.
import type { Migration } from '#kit/store/migrations.ts'
import type { Flag } from '#kit/store/store.ts'

/**
 * queued: waits for the resource's running saga to end. running: goes forward. aborting: the decision to undo stands.
 * stuck: an operator must look (Trouble says at what). done, failed: ended; failed means undone wholly.
 */
export type SagaState = 'queued' | 'running' | 'aborting' | 'stuck' | 'done' | 'failed'

/** JSON on the saga's row: what hinders it, or what made it fail, in words for operators. */
export interface Trouble { step: string, message: string, attempts?: number }

export interface SagaRow {
  id: string
  name: string
  resourceId: string
  /** The resource again while this is its one live saga. Unique. */
  holds: string | null
  /** The resource again while queued for it. Unique. */
  waits: string | null
  state: SagaState
  /** The state to go on from when an operator retries. */
  stuckFrom: SagaState | null
  pivoted: Flag
  /** `place#instance` of the runner that has the lease. */
  owner: string | null
  /** Grows with every take-over and every undone attempt, and from one saga of a resource to the next. */
  epoch: number
  leaseUntil: string
  /** Journal writes so far. Also makes every compare-and-set change something, whichever way an engine counts. */
  writes: number
  input: string
  sealed: string | null
  actor: string
  requestId: string
  traceId: string
  fault: string | null
  trouble: string | null
  startedAt: string
  endedAt: string | null
}

export type StepState = 'started' | 'done' | 'undone' | 'undoing' | 'closed'

/** One step, or one attempt that failed (state undoing, then closed; value holds its fault). */
export interface StepRow {
  sagaId: string
  /** The attempts it lies in and its name, joined by slashes. */
  path: string
  /** The path of the attempt it lies in; empty outside. */
  scope: string
  /** The how-manieth thing its scope asked for. */
  position: number
  state: StepState
  value: string | null
  /** The how-manieth answer the saga got. A replay gives answers in the same order. */
  answered: number | null
  startedAt: string
  endedAt: string | null
}

export interface SagaTables { kitSagas: SagaRow, kitSagaSteps: StepRow }

export const sagaMigrations: Migration[] = [{
  id: '0001-sagas',
  changes: [
    { createTable: 'kitSagas', as: {
      columns: {
        id: 'id', name: 'text', resourceId: 'id', holds: 'id?', waits: 'id?', state: 'text', stuckFrom: 'text?', pivoted: 'bool', owner: 'text?', epoch: 'int', leaseUntil: 'at', writes: 'int',
        input: 'long', sealed: 'long?', actor: 'long', requestId: 'text', traceId: 'text', fault: 'long?', trouble: 'long?', startedAt: 'at', endedAt: 'at?',
      },
      primaryKey: ['id'], unique: [['holds'], ['waits']], indexes: [['resourceId', 'epoch'], ['state', 'endedAt'], ['owner']],
    } },
    { createTable: 'kitSagaSteps', as: {
      columns: { sagaId: 'id', path: 'text', scope: 'text', position: 'int', state: 'text', value: 'long?', answered: 'int?', startedAt: 'at', endedAt: 'at?' },
      primaryKey: ['sagaId', 'path'],
    } },
  ],
}]

// A saga as operators and waiting callers see it.
import type { SagaFault } from './saga.ts'
import type { SagaRow, SagaState, StepRow, StepState, Trouble } from './schema.ts'

export interface SagaInfo {
  id: string
  name: string
  resourceId: string
  state: SagaState
  pivoted: boolean
  owner: string | null
  epoch: number
  /** Journal writes so far. */
  writes: number
  requestId: string
  traceId: string
  startedAt: string
  endedAt: string | null
  /** Why it is, or was, undone. */
  fault: SagaFault | null
  /** What it hangs on, or what failed, in words for operators. */
  trouble: Trouble | null
  steps?: { path: string, state: StepState, startedAt: string, endedAt: string | null }[]
}

export const describe = (row: SagaRow, steps?: StepRow[]): SagaInfo => ({
  id: row.id, name: row.name, resourceId: row.resourceId, state: row.state, pivoted: Number(row.pivoted) === 1, owner: row.owner, epoch: Number(row.epoch), writes: Number(row.writes),
  requestId: row.requestId, traceId: row.traceId, startedAt: row.startedAt, endedAt: row.endedAt,
  fault: row.fault === null ? null : JSON.parse(row.fault) as SagaFault, trouble: row.trouble === null ? null : JSON.parse(row.trouble) as Trouble,
  ...(steps && { steps: steps.toSorted((a, b) => a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.position - b.position).map(({ path, state, startedAt, endedAt }) => ({ path, state, startedAt, endedAt })) }),
})

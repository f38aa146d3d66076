// What a saga is: a plain async function whose side effects all go through `flow.step`. The laws are in README.md.
import type { Context } from '#base/context.ts'
import { type FaultKind, type FaultRecord, isFault } from '#base/errors.ts'

/** Why a saga or an attempt failed. `unexpected` stands for a bug, whose words stay in the logs. */
export interface SagaFault extends Omit<FaultRecord, 'kind'> { kind: FaultKind | 'unexpected' }

/** An error as it may be kept on the saga's row and shown as the resource's fault. */
export const faultOf = (error: unknown): SagaFault => isFault(error) ? error.toJSON() : { kind: 'unexpected', message: 'Unexpected error' }

/** Handed to a step's `do`: the saga's actor and trace, and what its commands to agents must carry. */
export interface StepContext extends Context {
  readonly resourceId: string
  /**
   * Goes with every command to an agent. Never falls for one resource: it rises when another runner takes over, when an attempt was
   * undone, and with the resource's next saga. An agent refuses an `ensure` older than what it has seen, or not newer than a removal.
   */
  readonly epoch: number
  /** Aborts when waiting on is pointless: the saga was pre-empted, a sibling failed, the lease was lost, the process stops. */
  readonly signal: AbortSignal
}

/** Handed to a step's `undo`. */
export interface UndoContext extends StepContext {
  /** Why it is undone: what to write on a server in ERROR. */
  readonly fault: SagaFault
}

export interface StepWork<T> {
  /** Makes present; run again after a crash in the middle, so it must be idempotent. What it answers is journaled as JSON. */
  do: (ctx: StepContext) => Promise<T>
  /** Makes absent, even what `do` never made or made by half; a NotFound fault is success. Leave it out only where nothing is left behind. */
  undo?: (ctx: UndoContext) => Promise<unknown>
}

export type Tried<T> = { ok: true, value: T } | { ok: false, fault: SagaFault }

/** What a saga, and a part tried by `attempt`, may do. */
export interface Part<Sealed = object> {
  /**
   * The only way to have an effect. Names are unique inside the saga (inside its attempt) and hold no slash. Answers the journaled value.
   * Before the pivot a failing `do` ends the saga (its attempt): the promise never settles, so there is nothing to catch; use `attempt`.
   */
  step<T>(name: string, work: StepWork<T>): Promise<T>
  /** Tries a part that may fail: then it is undone wholly before this answers `ok: false`, and the saga goes on. Before the pivot only. */
  attempt<T>(name: string, part: (part: Part<Sealed>) => Promise<T>): Promise<Tried<T>>
  /** See StepContext.epoch. Read it inside `do` and `undo` only: it differs between a run and its replay. */
  readonly epoch: number
  /** Secrets given at the start, such as an admin password; erased when the saga ends. */
  readonly sealed: Readonly<Sealed>
}

export interface Flow<Sealed = object> extends Part<Sealed> {
  /**
   * From the next step on the saga only goes forward: a failing `do` is tried for ever, nothing is undone, and a pre-empting saga waits.
   * Call it between steps, outside attempts. Journaled with the next step, so it costs nothing.
   */
  pivot(): void
}

export interface Saga<Input = any, Deps = any, Sealed extends object = any> {
  readonly name: string
  readonly run: (flow: Flow<Sealed>, input: Input, deps: Deps) => Promise<unknown>
}

/**
 * Defines a saga. `name` is `noun.verb` and is what the journal keeps. Between steps `run` may use its input and the answers of
 * steps only: no clock, no randomness, no reads, no other waiting (law a).
 */
export const saga = <Input, Deps = unknown, Sealed extends object = object>(
  name: string, run: (flow: Flow<Sealed>, input: Input, deps: Deps) => Promise<unknown>,
): Saga<Input, Deps, Sealed> => ({ name, run })

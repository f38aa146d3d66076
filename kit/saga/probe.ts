// Where tests reach into a running saga: every call of a step's code and every journal write passes here.

export interface ProbePoint {
  saga: string
  sagaId: string
  resourceId: string
  /** do, undo: a step's code. journal: one transaction of the journal. */
  kind: 'do' | 'undo' | 'journal'
  /** The step's path, or what the journal write records. */
  step: string
  /** Which try of this call this is, from 1. */
  attempt: number
  /** The epoch the call or write is made under. */
  epoch: number
}

/** Stands around a piece of work: it may fail it before or after, run it twice, hold it, or throw `Crash`. Answers what `work` answers. */
export type Probe = <T>(point: ProbePoint, work: () => Promise<T>) => Promise<T>

/** Thrown by a probe: the runner is dead from here on, as if its process had been killed; it writes nothing any more. */
export class Crash extends Error {
  constructor() { super('killed by a probe') }
}

/** Control flow inside a run: what was asked may not or need not go on. Never leaves this folder. */
export class Stopped extends Error {
  constructor() { super('the saga stopped here') }
}

/** A new one each time: what waits for one shared for ever would be kept for ever. */
export const never = (): Promise<never> => new Promise(() => {})

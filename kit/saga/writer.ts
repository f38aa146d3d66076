// One saga's journal writes: one transaction at a time, each fenced by epoch and state. The answer of a step is written together with the
// start of what follows it: until then nothing depends on it, so a crash in between only runs an idempotent `do` again.
import { after } from '#base/time.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { Clock } from './clock.ts'
import { type Probe, Stopped } from './probe.ts'
import type { SagaRow, SagaState, SagaTables } from './schema.ts'
import { type Fence, findSaga, type StepChange, writeJournal } from './store.ts'

/** A journal write in the making. */
export interface Entry {
  /** What it records, for probes: `started spawn`. */
  label: string
  set?: Partial<SagaRow>
  steps?: StepChange[]
  /** More to do in the same transaction, after the row was changed. */
  also?: (tx: Tx<SagaTables>) => Promise<void>
  /** False for what may be lost with the power, because doing it again does no harm. */
  durable?: boolean
}
interface Queued extends Entry { resolve: () => void, reject: (error: unknown) => void }

/** The answer of a step or a failed attempt, not yet in the journal. */
export interface Answer { change: StepChange, endsAttempt: boolean }

export interface WriterOptions {
  store: Store
  clock: Clock
  leaseMs: number
  probe: Probe | undefined
  row: SagaRow
  /** False once the process is (as if) dead or the run was halted: then nothing is written any more. */
  alive: () => boolean
  /** A pre-empting saga has marked this one: its row says aborting. */
  onPreempted: (row: SagaRow) => void
  /** The lease is somebody else's, or nobody's. */
  onLost: () => void
  /** The database failed; whether the write was made is not known. */
  onBroken: (error: unknown) => void
}

export class Writer {
  epoch: number
  state: SagaState
  leaseUntilMs: number
  readonly #o: WriterOptions
  readonly #answers: Answer[] = []
  #queue: Queued[] = []
  #pumping = false
  #writes = 0

  constructor(options: WriterOptions) {
    this.#o = options
    this.epoch = Number(options.row.epoch)
    this.state = options.row.state
    this.leaseUntilMs = Date.parse(options.row.leaseUntil)
  }

  /** Everything said so far is in the journal, or on its way there. */
  get clean(): boolean { return this.#answers.length === 0 && !this.#pumping && this.#queue.length === 0 }
  /** A write is under way; it will find out by itself whether the lease still stands. */
  get writing(): boolean { return this.#pumping }
  /** The lease will not run out before something can be done under it. */
  get leased(): boolean { return this.leaseUntilMs - this.#o.clock.now() > this.#o.leaseMs / 4 }

  /** Remembers an answer; it goes with the next write. */
  answer(answer: Answer): void { this.#answers.push(answer) }

  /** Writes, together with all remembered answers and whatever else was asked for in the same turn. Rejects with Stopped when it may not. */
  write(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...entry, resolve, reject })
      if (this.#pumping) return
      this.#pumping = true
      // One microtask later all steps that were started side by side have asked.
      queueMicrotask(() => void this.#pump())
    })
  }

  /** Writes what is remembered, if anything, and proves the lease. */
  flush(): Promise<void> { return this.write({ label: 'answers' }) }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        await this.#commit(batch)
        for (const q of batch) q.resolve()
      } catch (error) {
        for (const q of batch) q.reject(error)
      }
    }
    this.#pumping = false
  }

  async #commit(batch: Queued[]): Promise<void> {
    if (!this.#o.alive()) throw new Stopped()
    const answers = [...this.#answers]
    const set: Partial<SagaRow> = Object.assign({}, ...batch.map((q) => q.set ?? {}))
    // A new epoch for what follows an undone attempt: agents remember its removals and would refuse an `ensure` of the same epoch.
    const epoch = set.epoch ?? this.epoch + (answers.some((a) => a.endsAttempt) ? 1 : 0)
    const steps = [...answers.map((a) => a.change), ...batch.flatMap((q) => q.steps ?? [])]
    const untilMs = this.#o.clock.now() + this.#o.leaseMs
    const fence = { id: this.#o.row.id, epoch: this.epoch, state: this.state }
    const write = (): Promise<boolean> => this.#o.store.tx(async (tx) => {
      if (!await writeJournal(tx, fence, { leaseUntil: after(0, untilMs), ...set, epoch }, steps)) return false
      for (const q of batch) await q.also?.(tx)
      return true
    }, { durable: batch.some((q) => q.durable !== false) })

    let written: boolean
    try {
      const { row, probe } = this.#o
      const point = { saga: row.name, sagaId: row.id, resourceId: row.resourceId, kind: 'journal' as const, step: batch.map((q) => q.label).join(', '), attempt: ++this.#writes, epoch: this.epoch }
      written = await (probe ? probe(point, write) : write())
    } catch (error) {
      if (error instanceof Stopped) throw error
      this.#o.onBroken(error)
      throw new Stopped()
    }
    // A dead process learns nothing from a write that was its last.
    if (!this.#o.alive()) throw new Stopped()
    if (!written) return this.#refused(fence)
    this.epoch = epoch
    if (set.state) this.state = set.state
    this.leaseUntilMs = untilMs
    this.#answers.splice(0, answers.length)
  }

  async #refused(fence: Fence): Promise<never> {
    const row = await this.#o.store.read((tx) => findSaga(tx as Tx<SagaTables>, this.#o.row.id)).catch((error: unknown) => { this.#o.onBroken(error); throw new Stopped() })
    if (row && Number(row.epoch) === fence.epoch && fence.state === 'running' && row.state === 'aborting') {
      this.state = 'aborting'
      this.#o.onPreempted(row)
    } else this.#o.onLost()
    throw new Stopped()
  }
}

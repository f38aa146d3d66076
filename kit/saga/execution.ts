// One run of one saga by one runner: forward, or (when the decision to undo stands in the journal) only far enough to know what to undo.
import type { Context, Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import { type Backoff, pauseMs } from '#base/retry.ts'
import { after } from '#base/time.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import { type Clock, turn } from './clock.ts'
import { Crash, never, type Probe, Stopped } from './probe.ts'
import type { Saga, SagaFault, StepContext } from './saga.ts'
import type { SagaRow, SagaTables, StepRow, Trouble } from './schema.ts'
import { Crowd, type Doom } from './scope.ts'
import { Steps } from './steps.ts'
import { unwind } from './unwind.ts'
import { Writer } from './writer.ts'

/** lost: another runner has it. stopped: this process stops, another goes on. broken: the database failed; load it again and go on. */
export type Ending = 'done' | 'failed' | 'stuck' | 'lost' | 'stopped' | 'broken'

/** What every run of a runner shares. */
export interface Surroundings {
  store: Store
  clock: Clock
  leaseMs: number
  undoBackoff: Backoff
  retryBackoff: Pick<Backoff, 'firstMs' | 'maxMs'>
  probe: Probe | undefined
  contextFor(row: SagaRow): Context
  unseal(row: SagaRow): object
  deps(saga: string): unknown
  dead(): boolean
  /** A probe killed the process. */
  die(): void
  /** In the transaction that ends the saga: whoever waits for the resource may begin. */
  letNext(tx: Tx<SagaTables>, resourceId: string): Promise<void>
}

export class Execution {
  readonly row: SagaRow
  /** The steps' code that is running right now. */
  readonly calls = new Crowd()
  readonly writer: Writer
  readonly context: Context
  readonly steps: Steps
  readonly surroundings: Surroundings
  /** Aborts when this run ends or shall end soon. */
  readonly ending = new AbortController()
  readonly #saga: Saga
  readonly #halted = Promise.withResolvers<Ending>()
  #halt: Ending | undefined
  #stopping = false

  constructor(saga: Saga, row: SagaRow, steps: StepRow[], surroundings: Surroundings) {
    this.#saga = saga
    this.row = row
    this.surroundings = surroundings
    this.context = surroundings.contextFor(row)
    this.writer = new Writer({
      store: surroundings.store, clock: surroundings.clock, leaseMs: surroundings.leaseMs, probe: surroundings.probe, row,
      alive: () => this.#halt === undefined && !surroundings.dead(),
      onPreempted: (now) => this.preempted(JSON.parse(now.fault ?? 'null') as SagaFault),
      onLost: () => this.lost(),
      onBroken: (error) => {
        if (error instanceof Crash) return surroundings.die()
        this.log.error({ ...this.about, error: explain(error) }, 'the saga journal cannot be written')
        this.halt('broken')
      },
    })
    this.steps = new Steps(this, steps)
  }

  get log(): Log { return this.context.log }
  get about(): object { return { saga: this.row.name, sagaId: this.row.id, resourceId: this.row.resourceId } }
  get halted(): boolean { return this.#halt !== undefined }
  /** Nothing new starts. */
  get stopping(): boolean { return this.#stopping || this.#halt !== undefined }

  /** Runs the saga to an ending. Never rejects. */
  async run(): Promise<Ending> {
    const whole = this.#whole().catch((error: unknown) => {
      if (error instanceof Stopped) return never()
      this.log.error({ ...this.about, error: explain(error), stack: error instanceof Error ? error.stack : undefined }, 'the saga runner failed')
      return 'broken' as const
    })
    const ending = await Promise.race([this.#halted.promise, whole])
    this.halt(ending)
    return ending
  }

  /** Nothing is written or started any more. */
  halt(ending: Ending): void {
    if (this.#halt !== undefined) return
    this.#halt = ending
    this.ending.abort()
    this.steps.root.interrupt()
    this.#halted.resolve(ending)
  }

  /** Another runner has the saga: stop at once, undo nothing. */
  lost(): void {
    if (this.#halt === undefined) this.log.warn(this.about, 'another runner took the saga over')
    this.halt('lost')
  }

  /** The saga's row was marked aborting from outside. */
  preempted(fault: SagaFault): void {
    this.writer.state = 'aborting'
    this.steps.root.fall({ fault })
  }

  /** Lets what is in flight finish and journals its answers; the rest is for another run. */
  async stop(): Promise<void> {
    this.#wind()
    await this.#settled()
    if (!this.writer.clean) await this.writer.flush().catch(() => {})
    this.halt('stopped')
  }

  /** Leaves the saga to operators, with the words why. */
  async stick(trouble: Trouble): Promise<void> {
    if (this.stopping) return
    this.#wind()
    await this.#settled()
    this.log.error({ ...this.about, ...trouble }, 'the saga is stuck')
    const write = (): Promise<void> => this.writer.write({
      label: 'stuck', set: { state: 'stuck', stuckFrom: this.writer.state, trouble: JSON.stringify({ ...trouble, message: trouble.message.slice(0, 2000) }), owner: null },
    })
    // Pre-empted at this very moment: then it is stuck while undoing.
    await write().catch(() => write()).catch(() => {})
    this.halt('stuck')
  }

  /** Makes sure that the lease stands before anything is done under it. */
  async hold(): Promise<void> {
    if (this.#halt !== undefined) throw new Stopped()
    if (!this.writer.leased) await this.writer.flush()
  }

  /** Runs a step's code in its span. */
  async call<T>(kind: 'do' | 'undo', path: string, attempt: number, ctx: StepContext, work: () => Promise<T>): Promise<T> {
    const { probe, dead, die } = this.surroundings
    const leave = this.calls.enter()
    try {
      const spanned = (): Promise<T> => ctx.span(kind === 'do' ? `saga.${path}` : `saga.undo ${path}`, work, { tenant: { saga: this.row.name, ...(attempt > 1 && { attempt }) } })
      const point = { saga: this.row.name, sagaId: this.row.id, resourceId: this.row.resourceId, kind, step: path, attempt, epoch: ctx.epoch }
      return await (probe ? probe(point, spanned) : spanned())
    } catch (error) {
      if (error instanceof Crash) die()
      throw error
    } finally {
      leave()
      if (dead()) throw new Stopped()
    }
  }

  /** Gives the database time: a step that met its absence is neither failed nor done. */
  async databaseBack(path: string, absences: number, error: unknown): Promise<void> {
    this.log.warn({ ...this.about, step: path, error: explain(error) }, 'a step waits for the database')
    const { clock, retryBackoff } = this.surroundings
    await clock.sleep(pauseMs(Math.min(absences, 30), { ...retryBackoff, maxMs: Math.min(retryBackoff.maxMs, 5_000) }), this.ending.signal)
  }

  contextWith(signal: AbortSignal): StepContext {
    const { actor, requestId, traceId, log, deadlineAt } = this.context
    return {
      actor, requestId, traceId, resourceId: this.row.resourceId, log, ...(deadlineAt !== undefined && { deadlineAt }),
      span: (name, work, options) => this.context.span(name, work, options), epoch: this.writer.epoch, signal,
    }
  }

  now(): string { return after(0, this.surroundings.clock.now()) }

  #wind(): void {
    this.#stopping = true
    this.ending.abort()
    this.steps.root.interrupt()
  }

  async #settled(): Promise<void> {
    await this.calls.quiet()
    await turn()
    await this.steps.delivered()
  }

  async #whole(): Promise<Ending> {
    const { row, steps, writer, surroundings } = this
    const { root } = steps
    let sealed: object
    try {
      sealed = surroundings.unseal(row)
    } catch (error) {
      await this.stick({ step: '(sealed inputs)', message: explain(error) })
      return never()
    }
    const body = (): Promise<unknown> => this.#saga.run(steps.flow(sealed), JSON.parse(row.input), surroundings.deps(row.name))
    let doom: Doom
    if (row.state === 'aborting') {
      await steps.recollect(body)
      doom = { fault: JSON.parse(row.fault ?? 'null') as SagaFault }
    } else {
      void steps.replay()
      if (await steps.body(root, body)) {
        await steps.replayed
        try {
          await this.#end('done')
          return 'done'
        } catch (error) {
          // Pre-empted at the last moment: then it is undone like any other.
          if (!root.doom) throw error
        }
      }
      await steps.replayed
      if (!root.doom) return never()
      doom = root.doom
      if (writer.state !== 'aborting') {
        const set = { state: 'aborting' as const, fault: JSON.stringify(doom.fault), trouble: JSON.stringify(doom.trouble ?? null) }
        await writer.write({ label: 'aborting', set }).catch((error: unknown) => { if (this.#halt !== undefined || writer.state !== 'aborting') throw error })
      }
      root.unwinding = true
    }
    await unwind(this, steps.undos, root, doom.fault)
    await this.#end('failed')
    return 'failed'
  }

  async #end(state: 'done' | 'failed'): Promise<void> {
    const set = { state, holds: null, owner: null, sealed: null, endedAt: this.now(), ...(state === 'done' && { trouble: null }) }
    await this.writer.write({ label: state, set, also: (tx) => this.surroundings.letNext(tx, this.row.resourceId) })
  }
}

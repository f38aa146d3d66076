// How a run hands out steps and attempts: remembered ones answer from the journal, the rest are done and their answers journaled.
import { explain } from '#base/errors.ts'
import { pauseMs } from '#base/retry.ts'
import { turn } from './clock.ts'
import { isDatabaseAway } from '#kit/store/store.ts'
import type { Execution } from './execution.ts'
import { never, Stopped } from './probe.ts'
import { type Asked, Recall } from './recall.ts'
import { faultOf, type Flow, type Part, type SagaFault, type StepWork, type Tried } from './saga.ts'
import type { StepRow } from './schema.ts'
import { Scope } from './scope.ts'
import type { StepChange } from './store.ts'
import { type Undo, unwind } from './unwind.ts'

const parse = (text: string | null): unknown => text === null ? undefined : JSON.parse(text)

export class Steps {
  readonly root: Scope
  readonly undos: Undo[] = []
  /** Settles when the journal has been gone through; never, when the replay diverges. */
  readonly replayed: Promise<void>
  readonly #run: Execution
  readonly #recall: Recall
  #sealed: object = {}
  /** The function called pivot(); it counts from the next step on. */
  #pivotAsked = false
  /** The pivot is in the journal. */
  #pivoted: boolean
  #answers: number
  #delivering: Promise<void> = Promise.resolve()

  constructor(run: Execution, rows: StepRow[]) {
    this.#run = run
    this.root = new Scope('', undefined, run.row.state === 'aborting')
    this.#recall = new Recall(rows)
    this.replayed = this.#recall.over
    this.#pivoted = Number(run.row.pivoted) === 1
    this.#answers = rows.reduce((n, s) => Math.max(n, Number(s.answered ?? -1) + 1), 0)
  }

  /** Goes through the journal beside the function that asks. */
  async replay(): Promise<void> {
    const diverged = await this.#recall.run()
    if (diverged !== undefined) await this.#diverge(diverged)
  }

  /** Replays a saga that is being undone, only to learn what its undos are. */
  async recollect(body: () => Promise<unknown>): Promise<void> {
    void this.replay()
    void Promise.resolve().then(body).catch(() => {})
    await this.replayed
  }

  /** Settles when every answer that came is with the writer. */
  delivered(): Promise<void> { return this.#delivering }

  #diverge(message: string): Promise<void> { return this.#run.stick({ step: '(replay)', message }) }

  /** Runs a saga's or an attempt's function until it ends or falls and nothing of it is in flight. Undefined: it fell. */
  async body<T>(scope: Scope, work: () => Promise<T>): Promise<{ value: T } | undefined> {
    const ended = Promise.resolve().then(work).then((value) => ({ value }), (error: unknown) => { this.fail(scope, error, scope.path || '(between steps)') })
    const outcome = await Promise.race([ended, scope.fallen])
    await scope.inFlight.quiet()
    return scope.doom ? undefined : outcome ?? undefined
  }

  /** What failed before the pivot lets its scope fall; after it there is no way back. */
  fail(scope: Scope, error: unknown, path: string): void {
    if (error instanceof Stopped || this.#run.stopping || scope.doom) return
    const trouble = { step: path, message: explain(error).slice(0, 2000) }
    // After the pivot there is no way back, and running the same function again would throw again.
    if (this.#pivotAsked || this.#pivoted) return void this.#run.stick(trouble)
    const fault = faultOf(error)
    const about = { ...this.#run.about, step: path, error: trouble.message }
    if (fault.kind === 'unexpected') this.#run.log.error({ ...about, stack: error instanceof Error ? error.stack : undefined }, 'a saga step failed unexpectedly')
    else this.#run.log.info(about, 'a saga step failed')
    scope.fall({ fault, trouble })
  }

  /** What the saga's function is handed. */
  flow(sealed: object): Flow<any> {
    this.#sealed = sealed
    const pivot = (): void => {
      if (this.root.inFlight.size > 0) this.fail(this.root, new Error('pivot() was called with steps in flight'), '(pivot)')
      else this.#pivotAsked = true
    }
    return Object.assign(this.#part(this.root), { pivot })
  }

  #part(scope: Scope): Part<any> {
    const sealed = this.#sealed
    const { writer } = this.#run
    return {
      step: (name, work) => this.#step(scope, name, work),
      attempt: (name, part) => this.#attempt(scope, name, part),
      get epoch() { return writer.epoch },
      sealed,
    }
  }

  #ask(scope: Scope, name: string): Asked | undefined {
    if (this.#run.stopping || scope.doom) return undefined
    const asked = this.#recall.ask(scope.path, scope.position++, name)
    if ('path' in asked) return asked
    if ('error' in asked) this.fail(scope, new Error(asked.error), name)
    else void this.#diverge(asked.diverged)
    return undefined
  }

  #step<T>(scope: Scope, name: string, work: StepWork<T>): Promise<T> {
    const asked = this.#ask(scope, name)
    if (!asked) return never()
    const { path, entry } = asked
    // Registered before `do` runs: a half-done step is undone too.
    const undo: Undo | undefined = work.undo && { scope, path, run: work.undo, started: entry !== undefined, undone: entry?.state === 'undone' }
    if (undo) this.undos.push(undo)
    if (entry && entry.answered !== null) return this.#recall.answer(path).then(() => parse(entry.value) as T)
    if (scope.unwinding) return never()
    const { promise, resolve } = Promise.withResolvers<T>()
    void this.#live(scope, asked, work, undo, resolve)
    return promise
  }

  async #live<T>(scope: Scope, asked: Asked, work: StepWork<T>, undo: Undo | undefined, resolve: (value: T) => void): Promise<void> {
    const { path, entry } = asked
    const leave = scope.inFlight.enter()
    try {
      await this.replayed
      if (!this.#may(scope)) return
      if (this.#pivoted && !this.#pivotAsked) return await this.#diverge('the replay does not reach its pivot, which is in the journal')
      const startedAt = this.#run.now()
      const row = { sagaId: this.#run.row.id, path, scope: asked.scope, position: asked.position, state: 'started', value: null, answered: null, startedAt, endedAt: null } satisfies StepRow
      const pivots = this.#pivotAsked && !this.#pivoted
      // What is never undone need not be remembered before it is done.
      const remember = undo !== undefined && !entry && !this.#pivotAsked
      if (remember || pivots || !this.#run.writer.clean || !this.#run.writer.leased) {
        await this.#run.writer.write({ label: remember ? `started ${path}` : `before ${path}`, ...(pivots && { set: { pivoted: 1 as const } }), steps: remember ? [{ insert: row }] : [] })
      }
      if (undo) undo.started = true
      if (pivots) this.#pivoted = true
      if (!this.#may(scope)) return

      const text = JSON.stringify(await this.#do(scope, path, work)) as string | undefined ?? null
      await this.#deliver(scope, leave, false, (answered) => {
        const done = { state: 'done' as const, value: text, answered, endedAt: this.#run.now() }
        return entry || remember ? { update: path, set: done } : { insert: { ...row, ...done } }
      }, () => resolve(parse(text) as T))
    } catch (error) {
      this.fail(scope, error, path)
    } finally {
      leave()
    }
  }

  async #do<T>(scope: Scope, path: string, work: StepWork<T>): Promise<T> {
    const { clock, retryBackoff } = this.#run.surroundings
    for (let attempt = 1; ; attempt++) {
      await this.#run.hold()
      const ctx = this.#run.contextWith(scope.signal)
      try {
        return await this.#run.call('do', path, attempt, ctx, () => work.do(ctx))
      } catch (error) {
        if (error instanceof Stopped) throw error
        if (isDatabaseAway(error)) {
          await this.#run.databaseBack(path, attempt, error)
          if (!this.#may(scope)) throw new Stopped()
          continue
        }
        if (!this.#pivoted) throw error
        const message = explain(error).slice(0, 2000)
        this.#run.log.warn({ ...this.#run.about, step: path, attempt, error: message }, 'a step past the pivot failed; it is tried again')
        // Operators see what a saga hangs on; written ever more seldom.
        if (attempt >= 4 && Number.isInteger(Math.log2(attempt))) await this.#run.writer.write({ label: `trouble ${path}`, set: { trouble: JSON.stringify({ step: path, message, attempts: attempt }) }, durable: false })
        if (!this.#run.stopping) await clock.sleep(pauseMs(Math.min(attempt, 30), retryBackoff), this.#run.ending.signal)
        if (!this.#may(scope)) throw new Stopped()
      }
    }
  }

  #may(scope: Scope): boolean { return !this.#run.stopping && !scope.doom && !scope.unwinding }

  /** Gives answers one at a time, each with a turn for what the saga does next, so that a replay can give them in the same order. */
  #deliver(scope: Scope, leave: () => void, endsAttempt: boolean, change: (answered: number) => StepChange, give: () => void): Promise<void> {
    const mine = this.#delivering.then(async () => {
      // Not asked of `#may`: a stopping runner still keeps what was done.
      if (this.#run.halted || scope.doom || scope.unwinding) return
      leave()
      this.#run.writer.answer({ change: change(this.#answers++), endsAttempt })
      give()
      await turn()
      // Nothing followed at once (a sibling is waited for): then this goes alone.
      if (!this.#run.writer.clean && !this.#run.writer.writing && !this.#run.halted) void this.#run.writer.flush().catch(() => {})
    })
    this.#delivering = mine
    return mine
  }

  #attempt<T>(scope: Scope, name: string, part: (part: Part<any>) => Promise<T>): Promise<Tried<T>> {
    if (this.#pivotAsked) { this.fail(this.root, new Error('attempt() was called after the pivot'), name); return never() }
    const asked = this.#ask(scope, name)
    if (!asked) return never()
    const { path, entry } = asked
    if (entry && entry.answered !== null) return this.#recall.answer(path).then(() => ({ ok: false, fault: parse(entry.value) as SagaFault }))
    const { promise, resolve } = Promise.withResolvers<Tried<T>>()
    void this.#try(scope, asked, part, resolve)
    return promise
  }

  async #try<T>(scope: Scope, asked: Asked, part: (part: Part<any>) => Promise<T>, resolve: (tried: Tried<T>) => void): Promise<void> {
    const { path, entry } = asked
    const inner = new Scope(path, scope, scope.unwinding || entry !== undefined)
    const work = (): Promise<T> => part(this.#part(inner))
    const leave = scope.inFlight.enter()
    try {
      let fault: SagaFault
      if (entry) {
        // The decision to undo this attempt stands in the journal.
        void Promise.resolve().then(work).catch(() => {})
        await this.replayed
        if (!this.#may(scope)) return
        fault = parse(entry.value) as SagaFault
      } else {
        const outcome = await this.body(inner, work)
        if (outcome) { leave(); return resolve({ ok: true, value: outcome.value }) }
        await this.replayed
        if (!inner.doom || !this.#may(scope)) return
        fault = inner.doom.fault
        const row = { sagaId: this.#run.row.id, path, scope: asked.scope, position: asked.position, state: 'undoing', value: JSON.stringify(fault), answered: null, startedAt: this.#run.now(), endedAt: null } satisfies StepRow
        await this.#run.writer.write({ label: `undoing ${path}`, steps: [{ insert: row }] })
        inner.unwinding = true
      }
      await unwind(this.#run, this.undos, inner, fault)
      await this.#deliver(scope, leave, true, (answered) => ({ update: path, set: { state: 'closed', answered, endedAt: this.#run.now() } }), () => resolve({ ok: false, fault }))
    } catch (error) {
      this.fail(scope, error, path)
    } finally {
      leave()
    }
  }
}

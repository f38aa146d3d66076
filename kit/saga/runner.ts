// Runs sagas: starts them in the caller's transaction, keeps their leases, takes over what others left, and tells who waits.
import { seal, unseal } from '#kit/crypto/seal.ts'
import { type Actor, type Context, type Log, plainContext, silentLog } from '#base/context.ts'
import { conflict, explain, notFound } from '#base/errors.ts'
import { newSecret } from '#base/ids.ts'
import { pauseMs } from '#base/retry.ts'
import { after } from '#base/time.ts'
import type { Tx } from '#kit/store/store.ts'
import { type Admitted, admit, preempt, type Preemption, revive, type StartOptions, type Terms } from './admission.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Ending, Execution, type Surroundings } from './execution.ts'
import type { RunnerOptions } from './options.ts'
import { prune } from './prune.ts'
import type { Saga, SagaFault } from './saga.ts'
import type { SagaRow, SagaTables, StepRow } from './schema.ts'
import { abandoned, findSaga, lastSaga, listSagas, orphanedQueue, promote, releaseAll, renewLeases, type SagaQuery, stepsOf, takeOver } from './store.ts'
import { describe, type SagaInfo } from './view.ts'

interface Running { row: SagaRow, execution?: Execution, over: Promise<void> }

export class Runner {
  /** `place#instance`. */
  readonly owner: string
  readonly #o: RunnerOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #leaseMs: number
  readonly #sagas: Map<string, Saga>
  readonly #running = new Map<string, Running>()
  readonly #ending = new AbortController()
  readonly #surroundings: Surroundings
  #dead = false
  #stopping = false
  #loops: Promise<void>[] = []

  constructor(options: RunnerOptions) {
    this.#o = options
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#leaseMs = options.leaseMs ?? 30_000
    this.owner = `${options.owner}#${newSecret(6)}`
    this.#sagas = new Map(options.sagas.map((s) => [s.name, s]))
    if (this.#sagas.size !== options.sagas.length) throw new Error('two sagas have one name')
    this.#surroundings = {
      store: options.store, clock: this.#clock, leaseMs: this.#leaseMs, probe: options.probe,
      undoBackoff: options.undoBackoff ?? { firstMs: 200, maxMs: 30_000, attempts: 10 },
      retryBackoff: options.retryBackoff ?? { firstMs: 200, maxMs: 60_000 },
      contextFor: (row) => this.#contextFor(row),
      unseal: (row) => row.sealed === null ? {} : unseal(this.#key(), row.id, row.sealed) as object,
      deps: options.deps, dead: () => this.#dead, die: () => void this.abandon(),
      letNext: (tx, resourceId) => this.#letNext(tx, resourceId),
    }
  }

  /** Takes over what a dead predecessor left, and from now on keeps leases and looks for abandoned sagas. */
  async open(): Promise<void> {
    const place = this.owner.slice(0, this.owner.lastIndexOf('#') + 1)
    await this.#scan(this.#o.soleOwner ? () => true : (owner) => owner.startsWith(place))
    this.#loops.push(this.#every(this.#leaseMs / 3, () => this.#renew()))
    if (!this.#o.passive) this.#loops.push(this.#every(this.#o.scanMs ?? this.#leaseMs, () => this.#scan()))
  }

  /**
   * Starts a saga with the caller's rows, in the caller's transaction; it runs once that is committed.
   * Throws Conflict while another saga works on the resource. Answers the saga's id.
   */
  async start<I, S extends object>(tx: Tx<any>, saga: Saga<I, any, S>, options: StartOptions<I, S>): Promise<string> {
    const row = await admit(tx as Tx<SagaTables>, this.#known(saga), options, this.#terms())
    tx.afterCommit(() => this.#adopt(row, []))
    return row.id
  }

  /**
   * Starts a saga that goes before whatever works on the resource: a running saga stops before its next step, is undone, and then this
   * one runs; one past its pivot ends forward first. Asking again answers the same saga.
   */
  async preempt<I, S extends object>(tx: Tx<any>, saga: Saga<I, any, S>, options: StartOptions<I, S>): Promise<Admitted> {
    const done: Preemption = await preempt(tx as Tx<SagaTables>, this.#known(saga), options, this.#terms())
    const { admitted, running, aborting } = done
    tx.afterCommit(() => {
      if (running) this.#adopt(running)
      if (aborting) this.#running.get(aborting.id)?.execution?.preempted(aborting.fault)
    })
    return admitted
  }

  /** Settles when no saga works on the resource or waits for it here; answers the newest one there was. Stuck counts as settled. */
  async settled(resourceId: string): Promise<SagaInfo | undefined> {
    const there = (): Running[] => [...this.#running.values()].filter((r) => r.row.resourceId === resourceId)
    for (let rest = there(); rest.length > 0; rest = there()) await Promise.all(rest.map((r) => r.over))
    const row = await this.#read((tx) => lastSaga(tx, resourceId))
    return row && describe(row)
  }

  /** Settles when this runner runs no saga at all. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((r) => r.over))
  }

  /** Renews leases and looks for work now: after a message that says there is some. */
  async wake(): Promise<void> {
    await this.#renew()
    await this.#scan()
  }

  /** Sagas for operators, oldest first; live ones (queued, running, aborting, stuck) unless states are named. */
  async list(query: SagaQuery = {}): Promise<SagaInfo[]> {
    return (await this.#read((tx) => listSagas(tx, { states: query.resourceId === undefined ? ['queued', 'running', 'aborting', 'stuck'] : undefined, ...query }))).map((row) => describe(row))
  }

  /** A saga with its steps in the order they were started. NotFound if there is none. */
  async show(id: string): Promise<SagaInfo> {
    const [row, steps] = await this.#load(id)
    if (!row) throw notFound(`No saga with id ${id} exists`)
    return describe(row, steps)
  }

  /** Lets a stuck saga go on where it stood. NotFound, or Conflict if it is not stuck. */
  async retryStuck(id: string): Promise<void> {
    await this.#o.store.tx(async (tx) => {
      const row = await findSaga(tx as Tx<SagaTables>, id)
      if (!row) throw notFound(`No saga with id ${id} exists`)
      if (row.state !== 'stuck') throw conflict(`The saga is ${row.state}, not stuck`)
      const revived = await revive(tx as Tx<SagaTables>, row, row.stuckFrom ?? 'aborting', row.fault, this.#terms())
      tx.afterCommit(() => this.#adopt(revived))
    }, { durable: true })
  }

  /** Removes the journals of sagas that ended before `before` (an instant) and whose resource `isGone`. Answers how many. */
  prune(before: string, isGone: (resourceId: string) => Promise<boolean>): Promise<number> {
    return prune(this.#o.store, before, isGone)
  }

  /** Lets steps in flight finish (at most `graceMs`), keeps their answers, and gives the leases back: another runner goes on at once. */
  async stop(graceMs = 5000): Promise<void> {
    this.#stopping = true
    this.#ending.abort()
    const patience = new AbortController()
    const all = Promise.all([...this.#running.values()].map(async (r) => { await r.execution?.stop(); await r.over }))
    await Promise.race([all, this.#clock.sleep(graceMs, patience.signal)])
    patience.abort()
    for (const r of this.#running.values()) r.execution?.halt('stopped')
    await Promise.all(this.#loops)
    if (!this.#dead) await this.#o.store.tx((tx) => releaseAll(tx as Tx<SagaTables>, this.owner)).catch((error: unknown) => this.#log.warn({ error: explain(error) }, 'saga leases were not given back'))
  }

  /** As if the process had been killed: nothing is written any more. Settles when the code of steps in flight has returned. For tests. */
  async abandon(): Promise<void> {
    this.#dead = true
    this.#ending.abort()
    const calls = [...this.#running.values()].map(async (r) => {
      r.execution?.halt('lost')
      await r.execution?.calls.quiet()
    })
    await Promise.all(calls)
  }

  /** True once a probe killed it, or `abandon` was called. */
  get dead(): boolean { return this.#dead }

  #known<S extends Saga>(saga: S): S {
    if (this.#sagas.get(saga.name) !== saga) throw new Error(`this runner was not given the saga ${saga.name}`)
    return saga
  }

  #key(): Uint8Array {
    if (!this.#o.sealKey) throw new Error('this runner was given no key for sealed inputs')
    return this.#o.sealKey
  }

  #terms(): Terms {
    const nowMs = this.#clock.now()
    const mine = !this.#o.passive && !this.#stopping && !this.#dead
    return { owner: mine ? this.owner : null, nowAt: after(0, nowMs), leaseUntil: after(this.#leaseMs, nowMs), seal: (id, value) => seal(this.#key(), id, value) }
  }

  #contextFor(row: SagaRow): Context {
    const user = JSON.parse(row.actor) as Actor
    const actor: Actor = this.#o.service === undefined ? user : { ...user, service: this.#o.service }
    const { id, name, resourceId, requestId, traceId } = row
    return this.#o.contextFor?.({ id, name, resourceId, actor, requestId, traceId }) ?? plainContext({ actor, requestId, traceId, resourceId, log: this.#log })
  }

  #read<T>(work: (tx: Tx<SagaTables>) => Promise<T>): Promise<T> { return this.#o.store.read((tx) => work(tx as Tx<SagaTables>)) }
  #load(id: string): Promise<[SagaRow | undefined, StepRow[]]> { return this.#read(async (tx) => [await findSaga(tx, id), await stepsOf(tx, id)]) }

  async #letNext(tx: Tx<SagaTables>, resourceId: string): Promise<void> {
    const { owner, leaseUntil } = this.#terms()
    const row = await promote(tx, resourceId, owner, leaseUntil, (name) => this.#sagas.has(name))
    if (row) tx.afterCommit(() => this.#adopt(row, []))
  }

  /** Runs a saga whose lease is ours. `steps` undefined: its journal has to be read. */
  #adopt(row: SagaRow, steps?: StepRow[]): void {
    if (row.owner !== this.owner || this.#dead || this.#stopping) return
    this.#running.get(row.id)?.execution?.lost()
    const running: Running = { row, over: Promise.resolve() }
    if (steps) running.execution = this.#execution(row, steps)
    this.#running.set(row.id, running)
    running.over = this.#drive(running).catch((error: unknown) => this.#log.error({ saga: row.name, sagaId: row.id, error: explain(error) }, 'the saga runner failed')).finally(() => {
      if (this.#running.get(row.id) === running) this.#running.delete(row.id)
    })
  }

  #execution(row: SagaRow, steps: StepRow[]): Execution {
    return new Execution(this.#sagas.get(row.name)!, row, steps, this.#surroundings)
  }

  async #drive(running: Running): Promise<void> {
    for (let failures = 0; ;) {
      const ending: Ending = running.execution ? await running.execution.run() : 'broken'
      if (this.#dead || this.#stopping) return
      if (ending === 'stuck') this.#o.onStuck?.(describe((await this.#load(running.row.id))[0] ?? running.row))
      if (ending !== 'broken') return
      // The journal could not be written (or was not read yet): what is in flight ends, then the journal says where we are.
      await running.execution?.calls.quiet()
      if (running.execution && failures++ > 0) await this.#clock.sleep(pauseMs(Math.min(failures, 30), this.#surroundings.retryBackoff), this.#ending.signal)
      if (this.#dead || this.#stopping) return
      try {
        const [row, steps] = await this.#load(running.row.id)
        if (row?.owner !== this.owner) return
        running.row = row
        running.execution = this.#execution(row, steps)
      } catch (error) {
        this.#log.error({ sagaId: running.row.id, error: explain(error) }, 'the saga journal cannot be read')
        await this.#clock.sleep(pauseMs(Math.min(++failures, 30), this.#surroundings.retryBackoff), this.#ending.signal)
        if (this.#dead || this.#stopping) return
      }
    }
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    for (;;) {
      await this.#clock.sleep(ms, this.#ending.signal, true)
      if (this.#ending.signal.aborted) return
      await work().catch((error: unknown) => this.#log.error({ error: explain(error) }, 'looking after sagas failed'))
    }
  }

  /** Prolongs our leases, and learns which sagas are no longer ours or were pre-empted elsewhere. */
  async #renew(): Promise<void> {
    const before = [...this.#running.values()]
    if (before.length === 0 || this.#dead) return
    const untilMs = this.#clock.now() + this.#leaseMs
    const mine = new Map((await this.#o.store.tx((tx) => renewLeases(tx as Tx<SagaTables>, this.owner, after(0, untilMs)))).map((r) => [r.id, r]))
    for (const { row, execution } of before) {
      // A write under way finds out by itself.
      if (!execution || execution.halted || execution.writer.writing) continue
      const now = mine.get(row.id)
      if (!now || Number(now.epoch) !== execution.writer.epoch) { if (!execution.stopping) execution.lost(); continue }
      execution.writer.leaseUntilMs = Math.max(execution.writer.leaseUntilMs, untilMs)
      if (now.state === 'aborting' && execution.writer.state === 'running') execution.preempted(JSON.parse(now.fault ?? 'null') as SagaFault)
    }
  }

  /** Takes over what nobody works on. `dead` knows owners that are no more. */
  async #scan(dead?: (owner: string) => boolean): Promise<void> {
    if (this.#dead || this.#o.passive) return
    const { leaseUntil, nowAt } = this.#terms()
    const names = [...this.#sagas.keys()]
    if (names.length === 0) return
    const rows = await this.#read((tx) => abandoned(tx, names, nowAt, this.owner, dead))
    const waiting = await this.#read((tx) => orphanedQueue(tx))
    if (rows.length === 0 && waiting.length === 0) return
    await this.#o.store.tx(async (tx) => {
      for (const row of rows) {
        if (!await takeOver(tx as Tx<SagaTables>, row, this.owner, leaseUntil)) continue
        tx.afterCommit(() => {
          this.#log.info({ saga: row.name, sagaId: row.id, resourceId: row.resourceId, from: row.owner }, 'took a saga over')
          this.#adopt({ ...row, owner: this.owner, epoch: Number(row.epoch) + 1, leaseUntil })
        })
      }
      for (const { resourceId } of waiting) await this.#letNext(tx as Tx<SagaTables>, resourceId)
    }, { durable: true })
  }
}

export type { RunnerOptions } from './options.ts'

/** Makes a runner; `open()` it to take over what was left and to keep leases. */
export const createRunner = <Deps>(options: RunnerOptions<Deps>): Runner => new Runner(options)

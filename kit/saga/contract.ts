// The test every saga must pass, as one call: each step fails, each journal write and each piece of a step's code may be the process's
// last, a stale runner goes on beside its successor, a command lands late or twice. Works on toy worlds and on a whole cloud with fakes.
import { Fault } from '#base/errors.ts'
import { Crash, type Probe, type ProbePoint } from './probe.ts'
import type { Runner, RunnerOptions } from './runner.ts'

/** What a world must pass on to createRunner. */
export type Hooks = Required<Pick<RunnerOptions, 'owner' | 'soleOwner' | 'probe' | 'leaseMs' | 'undoBackoff' | 'retryBackoff'>>

/** done, failed: how the saga ended. preempted: `preempt` was called meanwhile, and all has ended. */
export type Outcome = 'done' | 'failed' | 'preempted'

export interface SagaWorld {
  /** A runner on this world's database, as a process that has just started would make it. Called again after each kill. */
  runner(hooks: Hooks): Runner | Promise<Runner>
  /** Starts the saga, through the front door if there is one. Answers the id of the resource it works on. */
  start(runner: Runner): Promise<string>
  /** Throws unless everything is as it must be after such an outcome: nothing missing, nothing left. */
  check(outcome: Outcome): void | Promise<void>
  /** Asks for what pre-empts the saga (a delete), through the front door if there is one. */
  preempt?(runner: Runner, resourceId: string): Promise<unknown>
  close?(): void | Promise<void>
}

export interface ContractOptions<W extends SagaWorld> {
  /** An empty world: nothing of a former run is in it. */
  fresh(): W | Promise<W>
  /** Failures of the world's own, by name: a fake driver that fails half-way inside. Each is armed in a fresh world before the start. */
  faults?: Record<string, (world: W) => void>
  /** The world refuses commands of an older epoch: then also a stale runner may reach `do` before it learns that it is stale. */
  fenced?: boolean
  /** Steps whose command may land after the undo, as messages to agents can. The world must refuse it or not mind. */
  late?: (step: string) => boolean
  /** How long one run may take before it counts as hanging. */
  patienceMs?: number
  /** How many runs that both fail and are killed to make at most, evenly chosen. The default makes all: steps × writes × 2. */
  maxPairs?: number
  /** How many points of a run to kill, hold and pre-empt at, evenly chosen: for a quick look at a heavy world. The default is all. */
  maxPoints?: number
}

export interface ContractReport { runs: number, writes: number, steps: string[] }

/** One hook on the points of a run. Counts from 0. */
type Act = (point: ProbePoint, nth: number, work: () => Promise<any>) => Promise<any>

interface Played { outcome: Outcome | 'stuck' | 'running', points: ProbePoint[], why: string }

/** Throws an Error that names the run which broke a law. Answers how many runs it took. */
export async function sagaContract<W extends SagaWorld>(options: ContractOptions<W>): Promise<ContractReport> {
  const open = new Set<W>()
  try {
    return await judgeSaga(options, open)
  } finally {
    // What a broken run left open would keep the test's process alive.
    for (const world of open) await world.close?.()
  }
}

async function judgeSaga<W extends SagaWorld>(options: ContractOptions<W>, open: Set<W>): Promise<ContractReport> {
  let runs = 0
  let preemptible = false
  const fresh = async (): Promise<W> => {
    runs++
    const world = await options.fresh()
    open.add(world)
    preemptible = world.preempt !== undefined
    return world
  }
  const close = async (world: W): Promise<void> => { open.delete(world); await world.close?.() }
  /** Waits, but not for ever. */
  const inTime = <T>(what: string, work: Promise<T>): Promise<T> => {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`${what} hangs`)), options.patienceMs ?? 60_000)
    return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
  }
  const patience = { leaseMs: 3_600_000, soleOwner: true, undoBackoff: { firstMs: 1, maxMs: 1, attempts: 4 }, retryBackoff: { firstMs: 1, maxMs: 1 } }

  /** Runs the saga once in a fresh world. Each life of the process has its own hook; one that is killed is followed by the next. */
  async function play(lives: Act[], arm?: (world: W) => void, also?: (world: W, runner: Runner, resourceId: string) => Promise<void>): Promise<Played & { world: W }> {
    const world = await fresh()
    arm?.(world)
    const points: ProbePoint[] = []
    let resourceId: string | undefined
    for (let life = 0; ; life++) {
      const act = lives[life] ?? plain
      let nth = 0
      const probe: Probe = (point, work) => { points.push(point); return act(point, nth++, work) }
      const runner = await world.runner({ ...patience, owner: `life-${life}`, probe })
      await runner.open()
      resourceId ??= await world.start(runner)
      await also?.(world, runner, resourceId)
      const last = await inTime('the saga', runner.settled(resourceId))
      if (runner.dead) {
        await runner.abandon()
        if (life < lives.length + 2) continue
      }
      const state = last?.state
      const outcome = state === 'done' || state === 'failed' || state === 'stuck' ? state : 'running'
      await runner.stop()
      return { world, outcome, points, why: last?.trouble ? `${last.trouble.step}: ${last.trouble.message}` : '' }
    }
  }

  /** Plays and judges. `expected` undefined: done or failed, as the saga chooses. */
  async function run(what: string, expected: Outcome | undefined, lives: Act[], arm?: (world: W) => void, also?: Parameters<typeof play>[2]): Promise<ProbePoint[]> {
    const fail = (message: string, cause?: unknown): never => { throw new Error(`${what}: ${message}`, { cause }) }
    const played = await play(lives, arm, also).catch((error: unknown) => fail(`the run broke: ${String(error)}`, error))
    const { world, outcome, points, why } = played
    if (outcome === 'stuck' || outcome === 'running') return fail(outcome === 'stuck' ? `the saga is stuck at ${why}` : 'the saga did not end')
    if (expected !== undefined && outcome !== 'done') fail(`the saga failed at ${why}`)
    await judge(what, world, expected === 'preempted' ? 'preempted' : outcome)
    await close(world)
    return points
  }

  const happy = await run('undisturbed', 'done', [])
  const steps = [...new Set(happy.filter((p) => p.kind === 'do').map((p) => p.step))]

  const points = spread([...happy.entries()], options.maxPoints)

  // Killed once at every point: the saga ends as if nothing had been. Every second time also while it recovers.
  for (const [n, point] of points) {
    for (const when of ['before', 'after'] as const) {
      await run(`killed ${when} ${name(point)}`, 'done', [killAt(n, when)])
      await run(`killed ${when} ${name(point)} and again while recovering`, 'done', [killAt(n, when), killAt(1, when === 'before' ? 'after' : 'before')])
    }
    if (point.kind === 'do') await run(`twice ${name(point)}`, 'done', [at(n, async (work) => { await work(); return work() })])
  }

  // Each step fails, without an effect and with the effect standing; then each such run is also killed at every one of its points.
  const pairs: { what: string, act: () => Act, nth: number }[] = []
  for (const step of steps) {
    for (const when of ['before', 'after'] as const) {
      const what = `${step} fails ${when === 'before' ? 'without' : 'after'} its effect`
      const points = await run(what, undefined, [failing(step, when)])
      // The effect that stands is the harder case; the other fails at the same places.
      if (when === 'after') for (const nth of points.keys()) pairs.push({ what: `${what}, killed at point ${nth} (${name(points[nth]!)})`, act: () => failing(step, when), nth })
      // And each undo needs patience.
      for (const undo of new Set(points.filter((p) => p.kind === 'undo').map((p) => p.step))) {
        const first = failing(step, when), second = failing(undo, when, 'undo')
        await run(`${what}, and so does the first undo of ${undo}`, undefined, [(p, n, work) => p.kind === 'undo' ? second(p, n, work) : first(p, n, work)])
      }
    }
  }
  for (const [fault, arm] of Object.entries(options.faults ?? {})) await run(`fault ${fault}`, undefined, [], arm)

  await twoOwners()
  for (const step of steps.filter((s) => options.late?.(s))) await lateCommand(step)
  if (preemptible) {
    for (const [n, point] of points) {
      for (const killed of [false, true]) {
        // The first point may be reached before the start has answered.
        const begun = Promise.withResolvers<{ world: W, runner: Runner, id: string }>()
        const asks = at(n, async (work) => {
          const { world, runner, id } = await begun.promise
          await world.preempt!(runner, id)
          if (killed) throw new Crash()
          return work()
        })
        await run(`pre-empted at ${name(point)}${killed ? ' and killed' : ''}`, 'preempted', [asks], undefined, async (world, runner, id) => begun.resolve({ world, runner, id }))
      }
    }
  }
  // The longest part comes last.
  for (const { what, act, nth } of spread(pairs, options.maxPairs)) {
    for (const when of ['before', 'after'] as const) {
      // The step fails in the next life too, should it run there.
      const fails = act(), kills = killAt(nth, when)
      await run(`${what} ${when}`, undefined, [(p, n, work) => kills(p, n, () => fails(p, n, work)), act()])
    }
  }
  return { runs, writes: happy.filter((p) => p.kind === 'journal').length, steps }

  /** A runner is held at each point while another takes over; then it goes on, beside its successor or after it, and must change nothing. */
  async function twoOwners(): Promise<void> {
    for (const [n, point] of points) {
      if (point.kind === 'do' && !options.fenced) continue
      for (const meanwhile of ['running', 'done'] as const) {
        const what = `a stale runner goes on at ${name(point)} while its successor's saga is ${meanwhile}`
        const world = await fresh()
        /** Holds one point, or all from there on, until told to go on: steps run side by side, and the journal must not move while it is looked at. */
        const holding = (nth: number, andAfter = false) => {
          const there = Promise.withResolvers<void>(), go = Promise.withResolvers<void>()
          let count = 0
          const probe: Probe = async (_point, work) => {
            const n = count++
            if (n === nth || (andAfter && n > nth)) { there.resolve(); await go.promise }
            return work()
          }
          return { there: there.promise, go: go.resolve, probe }
        }
        const old = holding(n), young = holding(meanwhile === 'running' ? 0 : Infinity, true)
        const stale = await world.runner({ ...patience, owner: 'stale', probe: old.probe })
        await stale.open()
        const id = await world.start(stale)
        await inTime(what, old.there)
        const next = await world.runner({ ...patience, owner: 'fresh', probe: young.probe })
        await next.open()
        const sagaId = meanwhile === 'done' ? (await inTime(what, next.settled(id)))?.id : (await inTime(what, young.there), (await next.list({ resourceId: id })).at(-1)?.id)
        if (sagaId === undefined) throw new Error(`${what}: nothing was taken over`)
        const before = await next.show(sagaId)
        old.go()
        await inTime(what, stale.settled(id))
        const now = await next.show(sagaId)
        young.go()
        const last = await inTime(what, next.settled(id))
        await Promise.all([stale.stop(), next.stop()])
        if (JSON.stringify(now) !== JSON.stringify(before)) throw new Error(`${what}: it wrote into the journal`)
        if (last?.state !== 'done') throw new Error(`${what}: the saga is ${last?.state} with the new owner, ${JSON.stringify(last?.trouble)}`)
        await judge(what, world, 'done')
        await close(world)
      }
    }
  }

  /** The sender gives up, all is undone, and then the command lands. */
  async function lateCommand(step: string): Promise<void> {
    let command: (() => Promise<unknown>) | undefined
    const holds: Act = async (p, _n, work) => {
      if (p.kind !== 'do' || p.step !== step || command) return work()
      command = work
      throw new Fault('unavailable', 'injected: no answer in time')
    }
    const { world, outcome, why } = await play([holds])
    if (outcome !== 'done' && outcome !== 'failed') throw new Error(`the command of ${step} got lost: the saga is ${outcome} at ${why}`)
    await command?.().catch(() => {})
    await judge(`the command of ${step} landed late`, world, outcome)
    await close(world)
  }
}

/** Asks the world whether everything is as it must be. */
async function judge(what: string, world: SagaWorld, outcome: Outcome): Promise<void> {
  try {
    await world.check(outcome)
  } catch (error) {
    throw new Error(`${what}: after it had ${outcome === 'preempted' ? 'been pre-empted' : outcome}, ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** At most so many of them, evenly chosen. */
const spread = <T>(list: T[], most = Infinity): T[] => {
  const stride = Math.max(1, list.length / most)
  return Array.from({ length: Math.ceil(list.length / stride) }, (_x, i) => list[Math.floor(i * stride)]).filter((x) => x !== undefined)
}

const plain: Act = (_point, _nth, work) => work()
const name = (p: ProbePoint): string => p.kind === 'journal' ? `the journal write "${p.step}"` : `${p.kind} of ${p.step}`

const at = (nth: number, instead: (work: () => Promise<any>) => Promise<any>): Act => (_p, n, work) => n === nth ? instead(work) : work()
const killAt = (nth: number, when: 'before' | 'after'): Act => at(nth, async (work) => {
  // A step that fails at this very point dies all the same.
  if (when === 'after') await work().catch(() => {})
  throw new Crash()
})

/** Fails the first call of a step. */
function failing(step: string, when: 'before' | 'after', kind: 'do' | 'undo' = 'do'): Act {
  let failed = false
  return async (p, _n, work) => {
    if (p.kind !== kind || p.step !== step || failed) return work()
    failed = true
    if (when === 'after') await work()
    throw new Fault('unavailable', `injected: ${step}`)
  }
}

// Undoing: the last step first, each with patience, and never swallowed.
import { explain, isFault } from '#base/errors.ts'
import { pauseMs } from '#base/retry.ts'
import { isDatabaseAway } from '#kit/store/store.ts'
import { Stopped } from './probe.ts'
import type { SagaFault, UndoContext } from './saga.ts'
import type { Scope } from './scope.ts'
import type { Execution } from './execution.ts'

/** A step's way back. */
export interface Undo {
  scope: Scope
  path: string
  run: (ctx: UndoContext) => Promise<unknown>
  /** Its start is in the journal (or it ran without one): there may be something to undo. */
  started: boolean
  undone: boolean
}

/** Undoes what was started in `scope`, in reverse order of asking. Throws Stopped when the saga got stuck, stops, or an outer scope fell. */
export async function unwind(run: Execution, undos: readonly Undo[], scope: Scope, fault: SagaFault): Promise<void> {
  for (const undo of undos.toReversed()) {
    if (!undo.started || undo.undone || !undo.scope.within(scope)) continue
    await undoStep(run, undo, scope, fault)
    undo.undone = true
    // May be lost with the power: undoing it again does no harm.
    await run.writer.write({ label: `undone ${undo.path}`, steps: [{ update: undo.path, set: { state: 'undone', endedAt: run.now() } }], durable: false })
  }
}

async function undoStep(run: Execution, undo: Undo, scope: Scope, fault: SagaFault): Promise<void> {
  const { clock, undoBackoff } = run.surroundings
  let absences = 0
  for (let attempt = 1; ; attempt++) {
    // When an outer scope falls meanwhile, it undoes this too.
    if (run.stopping || scope.parent?.doom) throw new Stopped()
    await run.hold()
    const ctx: UndoContext = { ...run.contextWith(run.ending.signal), fault }
    try {
      await run.call('undo', undo.path, attempt, ctx, async () => undo.run(ctx))
      return
    } catch (error) {
      if (error instanceof Stopped) throw error
      if (isFault(error, 'notFound')) return
      if (run.stopping) throw new Stopped()
      if (isDatabaseAway(error)) {
        // Not its fault: this attempt does not count.
        await run.databaseBack(undo.path, ++absences, error)
        attempt--
        continue
      }
      run.log.warn({ ...run.about, step: undo.path, attempt, error: explain(error) }, 'an undo failed')
      if (attempt >= undoBackoff.attempts) {
        await run.stick({ step: undo.path, message: explain(error), attempts: attempt })
        throw new Stopped()
      }
      const signal = scope.parent ? AbortSignal.any([run.ending.signal, scope.parent.signal]) : run.ending.signal
      await clock.sleep(pauseMs(attempt, undoBackoff), signal)
    }
  }
}

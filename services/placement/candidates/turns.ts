// Work that may take longer than others can wait: done in slices, between which everybody else has a turn.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Scene } from './world.ts'

/** Runs the work to its end; the scene stays as it is until then. */
export async function inTurns<T>(scene: Scene, work: Generator<undefined, T>): Promise<T> {
  let step = work.next()
  if (step.done) return step.value
  scene.lent++
  try {
    do {
      await nextTurn()
      step = work.next()
    } while (!step.done)
    return step.value
  } finally {
    scene.lent--
  }
}

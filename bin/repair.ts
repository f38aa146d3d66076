// What an operator does after having mended the cause: what was given up on is tried once more.
import { explain } from '#base/errors.ts'
import { listDeadLetters, redeliver } from '#kit/bus/store.ts'
import type { Cloud } from './cloud.ts'

export interface Repaired {
  /** Sagas that go on where they stood. */
  sagas: { id: string, name: string, resourceId: string }[]
  /** Messages sent once more. */
  messages: { id: string, address: string }[]
  /** What could not even be begun again, and why. */
  refused: { id: string, why: string }[]
}

/** As many as one look should bring: the next call takes the rest. */
const most = 1000

/** Lets stuck sagas go on, and sends dead letters again. Whatever still fails gets stuck, or is given up on, once more. */
export async function repair({ runner, store }: Pick<Cloud, 'runner' | 'store'>): Promise<Repaired> {
  const done: Repaired = { sagas: [], messages: [], refused: [] }
  const tried = async (id: string, work: () => Promise<void>): Promise<void> => {
    try { await work() } catch (error) { done.refused.push({ id, why: explain(error) }) }
  }
  for (const { id, name, resourceId } of await runner.list({ states: ['stuck'], limit: most })) {
    await tried(id, async () => { await runner.retryStuck(id); done.sagas.push({ id, name, resourceId }) })
  }
  for (const { id, address } of await store.read((tx) => listDeadLetters(tx, most))) {
    await tried(id, async () => { await store.tx((tx) => redeliver(tx, id)); done.messages.push({ id, address }) })
  }
  return done
}

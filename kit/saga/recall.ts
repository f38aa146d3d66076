// A replay's memory: hands the saga the journaled answers in their old order, and notices when it asks otherwise than it once did.
import type { StepRow } from './schema.ts'
import { turn } from './clock.ts'

/** What a step or attempt that asks is told. */
export interface Asked { path: string, scope: string, position: number, entry: StepRow | undefined }

export class Recall {
  /** Settled once every journaled answer was given and every journaled step asked for; never, when the replay diverges. */
  readonly over: Promise<void>
  readonly #finish: () => void
  readonly #entries = new Map<string, StepRow>()
  readonly #places = new Map<string, StepRow>()
  readonly #asked = new Set<string>()
  readonly #waiting = new Map<string, (entry: StepRow) => void>()
  /** What lies in attempts that were undone wholly is not asked for any more. */
  readonly #closed: string[]

  constructor(steps: StepRow[]) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#finish = resolve
    this.#closed = steps.filter((s) => s.state === 'closed').map((s) => `${s.path}/`)
    for (const s of steps) {
      if (this.#closed.some((c) => s.path.startsWith(c))) continue
      this.#entries.set(s.path, s)
      this.#places.set(`${s.scope}#${s.position}`, s)
    }
    if (this.#entries.size === 0) resolve()
  }

  /** The place of the next thing a scope asks for, or in words why it cannot be that. `error` is a mistake in the saga, `diverged` an unfaithful replay. */
  ask(scope: string, position: number, name: string): Asked | { error: string } | { diverged: string } {
    const path = scope === '' ? name : `${scope}/${name}`
    if (name === '' || name.includes('/') || path.length > 255) return { error: `a step's name must be 1 to 255 characters without a slash: ${path}` }
    if (this.#asked.has(path)) return { error: `two steps are named "${path}"` }
    const entry = this.#entries.get(path)
    const there = this.#places.get(`${scope}#${position}`)
    if (there !== entry) return { diverged: there ? `the replay asks for "${path}" where "${there.path}" was asked for` : `the replay asks for "${path}" in another place than before` }
    this.#asked.add(path)
    return { path, scope, position, entry }
  }

  /** Settles when it is the step's turn to answer. */
  answer(path: string): Promise<StepRow> {
    return new Promise((resolve) => this.#waiting.set(path, resolve))
  }

  /** Gives the journaled answers. Answers undefined when the replay was faithful, else in words how it was not. */
  async run(): Promise<string | undefined> {
    if (this.#entries.size === 0) return undefined
    await turn()
    const answered = [...this.#entries.values()].filter((e) => e.answered !== null).sort((a, b) => a.answered! - b.answered!)
    for (const entry of answered) {
      const give = this.#waiting.get(entry.path)
      if (!give) return this.#missed(entry)
      give(entry)
      // Whatever the saga does with this answer, it does before it gets the next one, as it did then.
      await turn()
    }
    for (const entry of this.#entries.values()) if (!this.#asked.has(entry.path)) return this.#missed(entry)
    this.#finish()
    return undefined
  }

  #missed(entry: StepRow): string { return `the replay does not ask for "${entry.path}", which is in the journal` }
}

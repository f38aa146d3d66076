// Where steps live: the saga itself, or an attempt inside it. Knows what is in flight, and whether it fell.
import type { SagaFault } from './saga.ts'
import type { Trouble } from './schema.ts'

/** Counts what is under way, and says when nothing is. */
export class Crowd {
  #count = 0
  #waiting: (() => void)[] = []

  get size(): number { return this.#count }

  /** Answers the way out; leaving twice counts once. */
  enter(): () => void {
    this.#count++
    let inside = true
    return () => {
      if (!inside) return
      inside = false
      if (--this.#count > 0) return
      for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  async quiet(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

export interface Doom { fault: SagaFault, trouble?: Trouble }

export class Scope {
  /** Joined by slashes; empty for the saga itself. */
  readonly path: string
  readonly parent: Scope | undefined
  /** Steps and attempts that were asked for and have not answered. */
  readonly inFlight = new Crowd()
  /** Settles when it falls. */
  readonly fallen: Promise<void>
  /** The decision to undo stands in the journal: nothing is done any more. */
  unwinding: boolean
  doom: Doom | undefined
  /** How many things were asked for. */
  position = 0
  readonly #fell: () => void
  readonly #abort = new AbortController()
  readonly #children: Scope[] = []

  constructor(path: string, parent: Scope | undefined, unwinding: boolean) {
    this.path = path
    this.parent = parent
    this.unwinding = unwinding
    const { promise, resolve } = Promise.withResolvers<void>()
    this.fallen = promise
    this.#fell = resolve
    if (parent) parent.#children.push(this)
  }

  /** Aborts when waiting on is pointless here. */
  get signal(): AbortSignal { return this.#abort.signal }

  /** It failed, with all attempts inside: nothing new starts in it. */
  fall(doom: Doom): void {
    if (!this.doom) {
      this.doom = doom
      this.#fell()
      this.#abort.abort()
    }
    for (const child of this.#children) child.fall(doom)
  }

  /** Asks what is in flight to hurry, without judging it. */
  interrupt(): void {
    this.#abort.abort()
    for (const child of this.#children) child.interrupt()
  }

  within(other: Scope): boolean {
    return this === other || (this.parent?.within(other) ?? false)
  }
}

// One after the other: work on the same key runs in the order it was asked for, work on different keys at once.

export class Serial {
  readonly #last = new Map<string, Promise<unknown>>()

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const settled = result.then(() => {}, () => {})
    this.#last.set(key, settled)
    void settled.then(() => { if (this.#last.get(key) === settled) this.#last.delete(key) })
    return result
  }

  /** Waits for all that was asked for so far. */
  async idle(): Promise<void> { await Promise.all(this.#last.values()) }
}

// One thing at a time for each key: two calls about the same port wait for each other, calls about different ones do not.

export type Serial = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Makes a queue for each key; a failure of one call is not the next one's. */
export const serial = (): Serial => {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const run = (last.get(key) ?? Promise.resolve()).then(work, work)
    const settled = run.catch(() => {})
    last.set(key, settled)
    void settled.then(() => { if (last.get(key) === settled) last.delete(key) })
    return run
  }
}

// Holds a driver's method at its door, so that tests choose what happens meanwhile.

export interface Gate {
  /** Settles when the method is first called. */
  reached: Promise<void>
  /** Lets all calls through, held ones and later ones. */
  release(): void
}

export function hold<T extends object>(driver: T, method: keyof T & string): Gate {
  const reached = Promise.withResolvers<void>(), go = Promise.withResolvers<void>()
  const real = driver[method] as (...args: unknown[]) => Promise<unknown>
  const held = async (...args: unknown[]): Promise<unknown> => {
    reached.resolve()
    await go.promise
    return real.apply(driver, args)
  }
  Object.defineProperty(driver, method, { value: held, configurable: true, writable: true })
  return {
    reached: reached.promise,
    release() {
      Object.defineProperty(driver, method, { value: real, configurable: true, writable: true })
      go.resolve()
    },
  }
}

// Numbers that look like chance and come again with the same seed.

export interface Random {
  /** 0 ≤ x < n, whole. */
  below(n: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
}

/** mulberry32 over a hash of the words: every case of every operation has chances of its own. */
export function randomOf(...words: (string | number)[]): Random {
  let state = 0x811c9dc5
  for (const char of words.join('\u0000')) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  return { below, chance: (probability) => next() < probability, pick: (from) => from[below(from.length)]! }
}

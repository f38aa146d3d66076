// Cases that once found something: sent again by every run, after those of the same operation that came before them.
export interface Kept { seed: string, service: string, operation: string, index: number, was: string }

export const kept: Kept[] = [
  { seed: 'b', service: 'placement', operation: 'replaceInventories', index: 186, was: 'a key that no pattern of the record matched brought a value that nobody had checked into SQL' },
]

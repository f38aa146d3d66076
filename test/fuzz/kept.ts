// Cases that once found something: sent again by every run, after those of the same operation that came before them.
export interface Kept { seed: string, service: string, operation: string, index: number, was: string }

export const kept: Kept[] = [
  { seed: 'b', service: 'placement', operation: 'replaceInventories', index: 186, was: 'a key that no pattern of the record matched brought a value that nobody had checked into SQL' },
  { seed: '1795375806107-first', service: 'image', operation: 'createMetadefNamespace', index: 72, was: 'half a surrogate pair in a name, which no URL can hold' },
  { seed: '1795375806107-first', service: 'network', operation: 'listPorts', index: 71, was: '__proto__ for the word of a filter' },
  { seed: '1795375806107-first', service: 'network', operation: 'updatePort', index: 98, was: 'a host that the bus cannot address' },
  { seed: '1795393393048-first', service: 'compute', operation: 'listServers', index: 98, was: 'a filter of a later version, said twice by an administrator' },
]

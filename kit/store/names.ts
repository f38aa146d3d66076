// camelCase in code, snake_case in SQL: translated once a name, then remembered.
const snakes = new Map<string, string>()
const camels = new Map<string, string>()

/** `computeServerNotes` → `compute_server_notes`. */
export function snake(name: string): string {
  let s = snakes.get(name)
  if (s === undefined) snakes.set(name, s = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`))
  return s
}
/** The way back. */
export function camel(name: string): string {
  let c = camels.get(name)
  if (c === undefined) camels.set(name, c = name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()))
  return c
}

// A client's conversation with a cloud, as kept in conversations/*.json: what it asked, what status it got, which fields it was told.
// Ids are templates: `${server.id#3}` is the value of that field in the third answer. Passwords are numbered; tokens never appear.

export interface Exchange {
  method: string
  path: string
  /** The number of the exchange that issued the token which was sent; the same for X-Subject-Token. */
  token?: number
  subject?: number
  headers?: Record<string, string>
  body?: unknown
  status: number
  /** Asked again and again until this status field of the answer had this value. */
  until?: { at: string, is: string }
  /** Paths of all fields of the answer; `[]` stands for every element of a list. */
  fields?: string[]
}
export interface Conversation { client: string, exchanges: Exchange[] }

type Step = string | number
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Every leaf of a JSON value with the way to it. Elements of lists that have a name are known by it: their order may change. */
export function leaves(value: Json, at: Step[] = []): { at: Step[], value: Exclude<Json, object> | null }[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => leaves(item, [...at, i]))
  if (value !== null && typeof value === 'object') return Object.entries(value).flatMap(([name, item]) => leaves(item, [...at, name]))
  return [{ at, value }]
}

const nameOf = (value: Json | undefined): string | undefined => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const name = value.name ?? value.Name
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** The way to a leaf in words: `networks[name=private].id`. */
export function wayTo(root: Json, at: Step[]): string {
  let here: Json | undefined = root, words = ''
  for (const step of at) {
    here = typeof step === 'number' ? (here as Json[])[step] : (here as Record<string, Json>)[step]
    const name = typeof step === 'number' ? nameOf(here) : undefined
    words += typeof step === 'number' ? `[${name === undefined ? step : `name=${name}`}]` : `${words === '' ? '' : '.'}${step}`
  }
  return words
}

/** Follows such words; undefined when they lead nowhere. */
export function follow(root: Json | undefined, way: string): Json | undefined {
  let here = root
  for (const [, name, index] of way.matchAll(/([^.[\]]+)|\[((?:name=)?[^\]]*)\]/g)) {
    if (here === undefined || here === null || typeof here !== 'object') return undefined
    if (name !== undefined) here = Object.hasOwn(here, name) ? (here as Record<string, Json>)[name] : undefined
    else if (index!.startsWith('name=')) here = (here as Json[]).find((item) => nameOf(item) === index!.slice(5))
    else here = (here as Json[])[Number(index)]
  }
  return here
}

/** Names of things that are data, not fields: their keys differ from cloud to cloud. */
const dataKeys = /^(addresses|metadata|properties|extra_specs|links|rules|flavor\.extra_specs)$/

/** The fields of an answer; lists are merged, an empty list has no fields. */
export function fieldsOf(value: Json, at = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.slice(0, 20).flatMap((item) => fieldsOf(item, `${at}[]`)))]
  if (value !== null && typeof value === 'object') {
    const last = at.split('.').at(-1)!
    if (at !== '' && dataKeys.test(last)) return [at]
    return Object.entries(value).flatMap(([name, item]) => {
      const here = at === '' ? name : `${at}.${name}`
      const below = fieldsOf(item, here)
      return below.length > 0 ? below : [here]
    })
  }
  return at === '' ? [] : [at]
}

/** Replaces templates in every string of a value. */
export function fill(value: Json, known: (template: string) => string): Json {
  if (typeof value === 'string') return value.replace(/\$\{([^}]+)\}/g, (_all, name: string) => known(name))
  if (Array.isArray(value)) return value.map((item) => fill(item, known))
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, known)]))
  return value
}

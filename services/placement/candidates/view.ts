// https://docs.openstack.org/api-ref/placement/#list-allocation-candidates
// The reply as text, put together from pieces: megabytes of it, of which next to nothing differs from one question to the next. As objects it would be a hundred thousand of them.
import type { Version } from '#kit/http/operation.ts'
import type { CandidatesRequest } from './request.ts'
import type { Candidate, Found, Part } from './search.ts'
import type { Provider, Scene } from './world.ts'

/** So many parts are one string: larger ones would be old before they are done with, and each collection of those takes as long as an answer. */
const partsTogether = 100

/** Yields where others should have their turn: each time when it has written `atOnce` candidates and summaries. */
export function* candidatesText(version: Version, scene: Scene, request: CandidatesRequest, { parts, candidates }: Found, atOnce = 3000): Generator<undefined, Buffer> {
  const done: Buffer[] = []
  const write = writer(parts, version.since('1.12'), version.since('1.34'))
  const summary = summaries(version, request)
  let text: string[] = [], written = 0
  const flush = (): void => { done.push(Buffer.from(text.join(''))); text = [] }
  /** Whether others should have their turn. */
  const next = (): boolean => { if (++written % partsTogether === 0) flush(); return written % atOnce === 0 }
  text.push('{"allocation_requests":[')
  for (const [i, candidate] of candidates.entries()) {
    if (i > 0) text.push(',')
    write(text, candidate)
    if (next()) yield
  }
  text.push('],"provider_summaries":{')
  let first = true
  for (const p of shown(scene, request, parts, candidates)) {
    if (!first) text.push(',')
    first = false
    summary(text, p)
    if (next()) yield
  }
  text.push('}}')
  flush()
  return Buffer.concat(done)
}

/** Providers in the trees that something is taken from; where trees are not known, those it is taken from. */
function shown(scene: Scene, request: CandidatesRequest, parts: readonly Part[], candidates: Candidate[]): Iterable<Provider> {
  const used = new Set<Provider>(), roots = new Set<string>()
  const taking = parts.map((part) => part.resources.length > 0)
  for (const candidate of candidates) {
    for (let i = 0; i < candidate.length; i++) if (taking[i]) used.add(candidate[i]!)
  }
  if (!request.nested) return used
  for (const p of used) roots.add(p.rootId)
  return (function* () { for (const rootId of roots) yield* scene.trees.get(rootId) ?? [] })()
}

/** Candidates differ in who serves, and in which parts are served by the same one. For each way of that, the text without the ids is made once. */
interface Template { same: number[], pieces: string[], ids: number[] }

function writer(parts: readonly Part[], asDictionary: boolean, mapped: boolean): (text: string[], candidate: Candidate) => void {
  const templates = new Map<string, Template>(), same: number[] = parts.map(() => 0)
  let last: Template | undefined
  return (text, candidate) => {
    let known = last !== undefined
    for (let i = 0; i < candidate.length; i++) {
      same[i] = candidate.indexOf(candidate[i]!)
      if (known && same[i] !== last!.same[i]) known = false
    }
    if (!known) {
      const key = same.join()
      last = templates.get(key)
      if (!last) templates.set(key, last = templateOf(parts, [...same], asDictionary, mapped))
    }
    const { pieces, ids } = last!
    for (let i = 0; i < ids.length; i++) text.push(pieces[i]!, candidate[ids[i]!]!.id)
    text.push(pieces[ids.length]!)
  }
}

function templateOf(parts: readonly Part[], same: number[], asDictionary: boolean, mapped: boolean): Template {
  const pieces: string[] = [], ids: number[] = []
  let piece = ''
  const id = (part: number): void => { pieces.push(`${piece}"`); ids.push(part); piece = '"' }
  const amounts = new Map<number, Map<string, number>>(), groups = new Map<string, Set<number>>()
  for (const [i, { group, resources }] of parts.entries()) {
    const provider = same[i]!
    groups.set(group.suffix, (groups.get(group.suffix) ?? new Set()).add(provider))
    if (resources.length === 0) continue
    const of = amounts.get(provider) ?? new Map<string, number>()
    amounts.set(provider, of)
    for (const [name, amount] of resources) of.set(name, (of.get(name) ?? 0) + amount)
  }
  piece = asDictionary ? '{"allocations":{' : '{"allocations":['
  for (const [i, [provider, of]] of [...amounts].entries()) {
    const resources = `"resources":${JSON.stringify(Object.fromEntries(of))}}`
    if (i > 0) piece += ','
    if (!asDictionary) piece += '{"resource_provider":{"uuid":'
    id(provider)
    piece += asDictionary ? `:{${resources}` : `},${resources}`
  }
  piece += asDictionary ? '}' : ']'
  if (mapped) {
    for (const [i, [suffix, providers]] of [...groups].entries()) {
      piece += `${i === 0 ? ',"mappings":{' : ','}${JSON.stringify(suffix)}:[`
      for (const [j, provider] of [...providers].entries()) { if (j > 0) piece += ','; id(provider) }
      piece += ']'
    }
    piece += '}'
  }
  pieces.push(`${piece}}`)
  return { same, pieces, ids }
}

/** Thousands of hosts with the same traits: one text for all of them. */
const traitTexts = new WeakMap<ReadonlySet<string>, string>()
function traitsText(traits: ReadonlySet<string>): string {
  let text = traitTexts.get(traits)
  if (text === undefined) traitTexts.set(traits, text = JSON.stringify([...traits]))
  return text
}

function summaries(version: Version, request: CandidatesRequest): (text: string[], p: Provider) => void {
  const withTraits = version.since('1.17'), all = version.since('1.27'), nested = version.since('1.29')
  const asked = new Set(request.groups.flatMap((g) => g.resources.map(([name]) => name)))
  const begin = (p: Provider): string => {
    const resources = [...p.inventories].filter(([name]) => all || asked.has(name))
      .map(([name, { at, capacity }]) => `${JSON.stringify(name)}:{"capacity":${capacity},"used":${p.used[at]}}`)
    return `${JSON.stringify(p.id)}:{"resources":{${resources.join(',')}}`
  }
  return (text, p) => {
    text.push(all ? p.summary ??= begin(p) : begin(p))
    if (withTraits) text.push(',"traits":', traitsText(p.traits))
    if (nested && p.parentId === null) text.push(',"parent_provider_uuid":null,"root_provider_uuid":"', p.rootId, '"}')
    else if (nested) text.push(',"parent_provider_uuid":"', p.parentId!, '","root_provider_uuid":"', p.rootId, '"}')
    else text.push('}')
  }
}

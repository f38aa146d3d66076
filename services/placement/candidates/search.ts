// The search for candidates: tree by tree, depth first inside a tree with everything pruned as early as it can be told, breadth first between the trees, so that a limit does
// not mean "all in one tree". A tree's root is the anchor: all providers of a candidate are of the tree or share with it.
import { hasNone, hasOneOfEach, servesAll, servesOne } from './fit.ts'
import type { CandidatesRequest, Group } from './request.ts'
import type { Provider, Scene } from './world.ts'

export interface Candidate {
  /** provider → resource class → amount */
  allocations: Map<Provider, Map<string, number>>
  /** The providers of each group, in the order of the groups. */
  mappings: Map<string, Set<Provider>>
}
/** Combinations grow beyond all bounds: past so many steps the search ends with what it has found, as the original does at its maximum of candidates. A candidate costs ten steps a
 * part: 30,000 of three parts each, which is what a request without a limit may find. */
const maxSteps = 1_000_000

/** One choice to make: who serves a granular group, or one resource of the group without a suffix. */
interface Slot { group: Group, resources: Group['resources'], options: Provider[], last: boolean, subtreesDone: string[][] }

export function search(scene: Scene, request: CandidatesRequest): Candidate[] {
  const found: Candidate[] = [], seen = new Set<string>(), limit = request.limit ?? Infinity
  const budget = { steps: maxSteps }
  const roots = new Map(request.groups.map((g) => [g.suffix, g.inTree === undefined ? undefined : scene.providers.get(g.inTree)?.rootId]))
  if (request.groups.some((g) => g.inTree !== undefined && roots.get(g.suffix) === undefined)) return []
  let turns: Iterable<Generator<Candidate>> = inEachTree(scene, request, roots, budget)
  for (;;) {
    const again: Generator<Candidate>[] = []
    for (const turn of turns) {
      const { value, done } = turn.next()
      if (budget.steps <= 0) return found
      if (done) continue
      again.push(turn)
      if (sharedOnly(value) && !isNew(seen, value)) continue
      found.push(value)
      if (found.length >= limit) return found
    }
    if (again.length === 0) return found
    turns = again
  }
}

function* inEachTree(scene: Scene, request: CandidatesRequest, roots: Map<string, string | undefined>, budget: { steps: number }): Generator<Generator<Candidate>> {
  for (const [rootId, tree] of scene.trees) {
    const root = scene.providers.get(rootId)
    if (root && hasOneOfEach(root.traits, request.rootRequired.map((t) => [t])) && hasNone(root.traits, request.rootForbidden)) yield inTree(scene, request, root, tree, roots, budget)
  }
}

/** Only what is not in the anchor's tree can be found at several anchors. */
const sharedOnly = ({ mappings }: Candidate): boolean => [...mappings.values()].every((providers) => [...providers].every((p) => p.shares))
function isNew(seen: Set<string>, { allocations, mappings }: Candidate): boolean {
  const key = JSON.stringify([
    [...allocations].map(([p, of]) => [p.id, [...of].sort()]).sort(), [...mappings].map(([suffix, providers]) => [suffix, [...providers].map((p) => p.id).sort()]),
  ])
  return seen.size !== seen.add(key).size
}

/** Those outside the tree that share with somebody in it. */
function sharersWith(scene: Scene, tree: readonly Provider[]): Provider[] {
  if (scene.sharing.size === 0) return []
  const found = new Set<Provider>()
  for (const p of tree) for (const aggregate of p.aggregates) for (const s of scene.sharing.get(aggregate) ?? []) if (s.rootId !== p.rootId) found.add(s)
  return [...found]
}

function* inTree(scene: Scene, request: CandidatesRequest, root: Provider, tree: readonly Provider[], roots: Map<string, string | undefined>, budget: { steps: number }): Generator<Candidate> {
  const visible = [...tree, ...sharersWith(scene, tree)], slots: Slot[] = []
  for (const group of request.groups) {
    const inTreeRoot = roots.get(group.suffix)
    const parts = group.granular ? [group.resources] : group.resources.map((r) => [r])
    for (const [i, resources] of parts.entries()) {
      budget.steps -= 1
      const options = visible.filter((p) => group.granular ? servesAll(p, group, inTreeRoot) : servesOne(p, root, resources[0]![0], resources[0]![1], group, inTreeRoot))
      if (options.length === 0) return
      slots.push({ group, resources, options, last: i === parts.length - 1, subtreesDone: [] })
    }
  }
  const lastOf = new Map(slots.map((slot, i) => [slot.group.suffix, i]))
  for (const suffixes of request.sameSubtrees) slots[Math.max(...suffixes.map((s) => lastOf.get(s)!))]!.subtreesDone.push(suffixes)
  const chosen: Provider[] = [], sums = new Map<Provider, Map<string, number>>()
  yield* choose(0)

  function* choose(at: number): Generator<Candidate> {
    const slot = slots[at]
    if (!slot) { budget.steps -= 10 * slots.length; yield candidate(); return }
    for (const option of slot.options) {
      if (--budget.steps <= 0) return
      if (slot.group.granular && request.isolate && chosen.some((p, i) => p === option && slots[i]!.group.granular)) continue
      if (!request.nested && chosen.some((p) => p !== option && p.rootId === option.rootId)) continue
      if (!take(option, slot.resources)) continue
      chosen.push(option)
      if ((!slot.last || slot.group.granular || traitsTogether(slot.group, at)) && slot.subtreesDone.every((suffixes) => inOneSubtree(suffixes))) yield* choose(at + 1)
      chosen.pop()
      giveBack(option, slot.resources)
    }
  }

  /** Several groups may take from one provider: together no more than there is, and no more than may be taken at once. */
  function take(p: Provider, resources: Group['resources']): boolean {
    let of = sums.get(p)
    if (!of) sums.set(p, of = new Map())
    for (const [i, [resourceClass, amount]] of resources.entries()) {
      const sum = (of.get(resourceClass) ?? 0) + amount, stock = p.inventories.get(resourceClass)!
      if (stock.used + sum > stock.capacity || sum > stock.maxUnit) { giveBack(p, resources.slice(0, i)); return false }
      of.set(resourceClass, sum)
    }
    return true
  }
  function giveBack(p: Provider, resources: Group['resources']): void {
    const of = sums.get(p)!
    for (const [resourceClass, amount] of resources) {
      const left = of.get(resourceClass)! - amount
      if (left > 0) of.set(resourceClass, left)
      else of.delete(resourceClass)
    }
  }
  function traitsTogether(group: Group, at: number): boolean {
    if (group.required.length === 0) return true
    const traits = new Set<string>()
    for (let i = 0; i <= at; i++) if (slots[i]!.group === group) for (const t of chosen[i]!.traits) traits.add(t)
    return hasOneOfEach(traits, group.required)
  }
  /** One of them is above all the others. */
  function inOneSubtree(suffixes: string[]): boolean {
    const them = new Set(chosen.filter((_p, i) => suffixes.includes(slots[i]!.group.suffix)))
    if (them.size <= 1) return true
    const above = [...them].map((p) => {
      const line = new Set<Provider>()
      for (let q: Provider | undefined = p; q && !line.has(q); q = q.parentId === null ? undefined : scene.providers.get(q.parentId)) line.add(q)
      return line
    })
    return [...them].some((p) => above.every((line) => line.has(p)))
  }
  function candidate(): Candidate {
    const mappings = new Map<string, Set<Provider>>()
    for (const [i, p] of chosen.entries()) {
      const { suffix } = slots[i]!.group, providers = mappings.get(suffix)
      if (providers) providers.add(p)
      else mappings.set(suffix, new Set([p]))
    }
    return { allocations: new Map([...sums].flatMap(([p, of]) => (of.size > 0 ? [[p, new Map(of)] as const] : []))), mappings }
  }
}

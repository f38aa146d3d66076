// The search for candidates: tree by tree, depth first inside a tree with everything pruned as early as it can be told, breadth first between the trees, so that a limit does
// not mean "all in one tree". A tree's root is the anchor: all providers of a candidate are of the tree or share with it.
import { hasNone, hasOneOfEach, servesAll, servesOne } from './fit.ts'
import type { CandidatesRequest, Group } from './request.ts'
import type { Provider, Scene } from './world.ts'

/** Who serves each part of the request: a provider for each, in the order of the parts. */
export type Candidate = readonly Provider[]
/** What a search has found. */
export interface Found { parts: readonly Part[], candidates: Candidate[] }
/**
 * Combinations grow beyond all bounds: past so many steps the search ends with what it has found, as the original does at its maximum of candidates. A candidate
 * costs ten steps a part: 30,000 of three parts each, which is what a request without a limit may find.
 */
const maxSteps = 1_000_000
/** Steps taken without a pause: some milliseconds. A question over a thousand hosts is answered in one go. */
const stepsAtOnce = 30_000

/** One choice to make: who serves a granular group, or one resource of the group without a suffix. */
export interface Part {
  group: Group
  resources: Group['resources']
  /** The tree that the group must be in, if it must. */
  inTreeRoot: string | undefined
  /** What is known once this is chosen: the group's traits together, and these parts' subtrees. */
  traitsOf: number[] | undefined
  subtrees: number[][]
}
/** What is left of all steps, and of those until the next pause. */
interface Budget { steps: number, now: number }
const pause = Symbol('pause')

/** The request's parts, each with what can be judged once it is chosen. */
function partsOf({ groups, sameSubtrees }: CandidatesRequest, scene: Scene): Part[] {
  const parts = groups.flatMap((group) => (group.granular ? [group.resources] : group.resources.map((r) => [r])).map((resources): Part =>
    ({ group, resources, inTreeRoot: group.inTree === undefined ? undefined : scene.providers.get(group.inTree)?.rootId, traitsOf: undefined, subtrees: [] })))
  const of = (fits: (group: Group) => boolean): number[] => parts.flatMap((part, i) => (fits(part.group) ? [i] : []))
  // A condition on several parts is judged with the last of them.
  const last = (own: number[]): Part => parts[own.at(-1)!]!
  for (const group of groups) {
    if (group.granular || group.required.length === 0) continue
    const own = of((g) => g === group)
    last(own).traitsOf = own
  }
  for (const suffixes of sameSubtrees) {
    const own = of((g) => suffixes.includes(g.suffix))
    last(own).subtrees.push(own)
  }
  return parts
}

/** Yields where others should have their turn: the scene must stay as it is meanwhile. `atOnce`: the steps between two pauses. */
export function* search(scene: Scene, request: CandidatesRequest, atOnce = stepsAtOnce): Generator<undefined, Found> {
  const parts = partsOf(request, scene)
  const candidates: Candidate[] = []
  const found: Found = { parts, candidates }
  const limit = request.limit ?? Infinity
  const budget: Budget = { steps: maxSteps, now: atOnce }
  const seen = new Set<string>()
  if (parts.some((part) => part.group.inTree !== undefined && part.inTreeRoot === undefined)) return found
  let turns: Iterable<TreeSearch | typeof pause> = inEachTree(scene, request, parts, budget)
  for (;;) {
    const again: TreeSearch[] = []
    for (const turn of turns) {
      let next = turn === pause ? pause : turn.next()
      while (next === pause) {
        yield
        budget.now = atOnce
        if (turn === pause) break
        next = turn.next()
      }
      if (budget.steps <= 0) return found
      if (!next || next === pause) continue
      if (!(turn as TreeSearch).over) again.push(turn as TreeSearch)
      // Only what is not in the anchor's tree can be found at several anchors.
      if (scene.sharing.size > 0 && next.every((p) => p.shares) && seen.size === seen.add(next.map((p) => p.id).join()).size) continue
      candidates.push(next)
      if (candidates.length >= limit) return found
    }
    if (again.length === 0) return found
    turns = again
  }
}

function* inEachTree(scene: Scene, request: CandidatesRequest, parts: readonly Part[], budget: Budget): Generator<TreeSearch | typeof pause> {
  const required = request.rootRequired.map((t) => [t])
  trees: for (const [rootId, tree] of scene.trees) {
    if (budget.now <= 0) yield pause
    const root = scene.providers.get(rootId)
    budget.now--
    if (!root || !hasOneOfEach(root.traits, required) || !hasNone(root.traits, request.rootForbidden)) continue
    const sharers = sharersWith(scene, tree)
    const visible = sharers.length > 0 ? [...tree, ...sharers] : tree
    const options: (readonly Provider[])[] = []
    for (const part of parts) {
      if (budget.now <= 0) yield pause
      const able = visible.length === 1 && serves(visible[0]!, root, part) ? visible : visible.filter((p) => serves(p, root, part))
      budget.now -= visible.length
      if (able.length === 0) continue trees
      options.push(able)
    }
    yield new TreeSearch(scene, request, parts, options, budget)
  }
}

const serves = (p: Provider, root: Provider, { group, resources, inTreeRoot }: Part): boolean =>
  (group.granular ? servesAll(p, group, inTreeRoot) : servesOne(p, root, resources[0]![0], resources[0]![1], group, inTreeRoot))

/** Those outside the tree that share with somebody in it. */
function sharersWith(scene: Scene, tree: readonly Provider[]): Provider[] {
  if (scene.sharing.size === 0) return []
  const found = new Set<Provider>()
  for (const p of tree) {
    for (const aggregate of p.aggregates) {
      for (const sharer of scene.sharing.get(aggregate) ?? []) if (sharer.rootId !== p.rootId) found.add(sharer)
    }
  }
  return [...found]
}

/** The combinations of one tree, one at a time: for each part an option, the last part's moving fastest. */
class TreeSearch {
  readonly #scene: Scene
  readonly #request: CandidatesRequest
  readonly #parts: readonly Part[]
  readonly #options: readonly (readonly Provider[])[]
  readonly #budget: Budget
  /** Which option each part tries next; what is chosen so far. */
  readonly #next: number[]
  readonly #chosen: Provider[] = []

  constructor(scene: Scene, request: CandidatesRequest, parts: readonly Part[], options: readonly (readonly Provider[])[], budget: Budget) {
    this.#scene = scene
    this.#request = request
    this.#parts = parts
    this.#options = options
    this.#budget = budget
    this.#next = parts.map(() => 0)
  }

  /** Whether its first candidate is its last: a host without a tree. Thousands of those are not kept until the next round. */
  get over(): boolean { return this.#options.every((able) => able.length === 1) }

  /** Nothing is left when there is none. After a pause it goes on where it was. */
  next(): Candidate | typeof pause | undefined {
    const chosen = this.#chosen, last = this.#parts.length - 1
    if (chosen.length > last) chosen.pop()
    for (;;) {
      if (this.#budget.now-- <= 0) return pause
      const at = chosen.length, option = this.#options[at]![this.#next[at]!++]
      if (--this.#budget.steps <= 0) return undefined
      if (!option) {
        if (at === 0) return undefined
        this.#next[at] = 0
        chosen.pop()
      } else if (this.#goes(at, option)) {
        chosen.push(option)
        if (!this.#holds(at)) chosen.pop()
        else if (at === last) { this.#budget.steps -= 10 * this.#parts.length; return [...chosen] }
      }
    }
  }

  /** Whether an option goes with what is chosen before it. */
  #goes(at: number, option: Provider): boolean {
    const chosen = this.#chosen
    const { group, resources } = this.#parts[at]!
    for (let i = 0; i < at; i++) {
      const other = chosen[i]!
      const bothGranular = group.granular && this.#parts[i]!.group.granular
      if (other === option ? bothGranular && this.#request.isolate : !this.#request.nested && other.rootId === option.rootId) return false
    }
    // Several parts may take from one provider: together no more than there is, and no more than may be taken at once.
    for (const [resourceClass, amount] of resources) {
      let sum = amount
      for (let i = 0; i < at; i++) {
        if (chosen[i] !== option) continue
        for (const [other, more] of this.#parts[i]!.resources) if (other === resourceClass) sum += more
      }
      const stock = option.inventories.get(resourceClass)!
      if (sum !== amount && (option.used[stock.at]! + sum > stock.capacity || sum > stock.maxUnit)) return false
    }
    return true
  }

  /** What can be judged now that the part `at` is chosen. */
  #holds(at: number): boolean {
    const { group, traitsOf, subtrees } = this.#parts[at]!
    if (traitsOf && !group.required.every((any) => any.some((name) => traitsOf.some((i) => this.#chosen[i]!.traits.has(name))))) return false
    return subtrees.every((own) => this.#inOneSubtree(new Set(own.map((i) => this.#chosen[i]!))))
  }

  /** One of them is above all the others. */
  #inOneSubtree(them: Set<Provider>): boolean {
    if (them.size <= 1) return true
    const lines = [...them].map((p) => {
      const line = new Set<Provider>()
      for (let q: Provider | undefined = p; q && !line.has(q); q = q.parentId === null ? undefined : this.#scene.providers.get(q.parentId)) line.add(q)
      this.#budget.now -= line.size
      return line
    })
    return [...them].some((p) => lines.every((line) => line.has(p)))
  }
}

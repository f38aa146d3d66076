// Allocation candidates the slow and obvious way: every assignment of every part of a request to every provider, and each condition read off the result. What the real
// search finds must be exactly this.
import type { InventoryRow } from '../schema.ts'
import type { CandidatesRequest, Group } from './request.ts'

/** A provider as its rows tell. */
export interface PlainProvider { id: string, parentId: string | null, rootId: string, inventories: InventoryRow[], traits: ReadonlySet<string>, aggregates: ReadonlySet<string> }
const stockOf = (p: PlainProvider, resourceClass: string): InventoryRow | undefined => p.inventories.find((i) => i.resourceClass === resourceClass)

type Part = { group: Group, resources: Group['resources'] }
const partsOf = (request: CandidatesRequest): Part[] => request.groups.flatMap((group) => (group.granular ? [{ group, resources: group.resources }] : group.resources.map((r) => ({ group, resources: [r] }))))
const overlap = (a: Iterable<string>, b: ReadonlySet<string>): boolean => [...a].some((x) => b.has(x))

export function referenceCandidates(providers: PlainProvider[], request: CandidatesRequest): Set<string> {
  const found = new Set<string>(), byId = new Map(providers.map((p) => [p.id, p])), parts = partsOf(request)
  const parentsOf = (p: PlainProvider): PlainProvider[] => (p.parentId === null ? [p] : [p, ...parentsOf(byId.get(p.parentId)!)])
  for (const root of providers.filter((p) => p.parentId === null)) {
    const tree = providers.filter((p) => p.rootId === root.id)
    const there = providers.filter((p) => p.rootId === root.id || (p.traits.has('MISC_SHARES_VIA_AGGREGATE') && tree.some((q) => overlap(q.aggregates, p.aggregates))))
    for (const choice of assignments(there, parts.length)) {
      const at = parts.map((part, i) => ({ ...part, p: choice[i]! }))
      if (right(root, at)) found.add(canonical(at))
    }
  }
  return found

  type At = Part & { p: PlainProvider }
  function right(root: PlainProvider, at: At[]): boolean {
    if (!request.rootRequired.every((t) => root.traits.has(t)) || request.rootForbidden.some((t) => root.traits.has(t))) return false
    for (const group of request.groups) {
      const own = at.filter((a) => a.group === group), chosen = own.map((a) => a.p)
      // Required: of one provider by itself, or of all of them together.
      const traits = new Set(chosen.flatMap((p) => [...p.traits]))
      if (!group.required.every((any) => overlap(any, traits))) return false
      for (const p of chosen) {
        if (overlap(group.forbidden, p.traits)) return false
        if (group.inTree !== undefined && p.rootId !== byId.get(group.inTree)?.rootId) return false
        // Outside a granular group the whole tree is where its root is, and what shares does so only inside the tree that is asked for.
        const spans = !group.granular && p.rootId === root.id
        if (!group.memberOf.every((any) => overlap(any, p.aggregates)) && !(spans && group.memberOf.every((any) => overlap(any, root.aggregates)))) return false
        if (overlap(group.notMemberOf, p.aggregates) || (!group.granular && overlap(group.notMemberOf, root.aggregates))) return false
        if (!group.granular && group.inTree !== undefined && p.rootId !== root.id) return false
      }
    }
    const sums = new Map<PlainProvider, Map<string, number>>()
    for (const { p, resources } of at) {
      for (const [resourceClass, amount] of resources) {
        const stock = stockOf(p, resourceClass)
        if (!stock || amount < stock.minUnit || amount > stock.maxUnit || amount % stock.stepSize !== 0) return false
        const of = sums.get(p) ?? new Map<string, number>()
        sums.set(p, of.set(resourceClass, (of.get(resourceClass) ?? 0) + amount))
      }
    }
    for (const [p, of] of sums) {
      for (const [resourceClass, sum] of of) {
        const stock = stockOf(p, resourceClass)!
        if (stock.used + sum > Math.floor((stock.total - stock.reserved) * stock.allocationRatio) || sum > stock.maxUnit) return false
      }
    }
    const granular = at.filter((a) => a.group.granular).map((a) => a.p)
    if (request.isolate && new Set(granular).size !== granular.length) return false
    const used = new Set(at.map((a) => a.p))
    if (!request.nested && new Set([...used].map((p) => p.rootId)).size !== used.size) return false
    return request.sameSubtrees.every((suffixes) => {
      const them = [...new Set(at.filter((a) => suffixes.includes(a.group.suffix)).map((a) => a.p))]
      return them.some((top) => them.every((p) => parentsOf(p).includes(top)))
    })
  }
}

function* assignments(providers: PlainProvider[], n: number): Generator<PlainProvider[]> {
  if (n === 0) { yield []; return }
  for (const rest of assignments(providers, n - 1)) for (const p of providers) yield [...rest, p]
}

/** Who gives what to whom, in one spelling. */
export function canonical(at: { group: Group, resources: Group['resources'], p: { id: string } }[]): string {
  const amounts: Record<string, number> = {}, mappings: Record<string, Set<string>> = {}
  for (const { group, resources, p } of at) {
    (mappings[group.suffix] ??= new Set()).add(p.id)
    for (const [resourceClass, amount] of resources) amounts[`${p.id} ${resourceClass}`] = (amounts[`${p.id} ${resourceClass}`] ?? 0) + amount
  }
  return spelled(amounts, mappings)
}
export const spelled = (amounts: Record<string, number>, mappings: Record<string, Iterable<string>>): string =>
  JSON.stringify([Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)), Object.entries(mappings).map(([s, ids]) => [s, [...ids].sort()]).sort()])

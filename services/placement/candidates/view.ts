// https://docs.openstack.org/api-ref/placement/#list-allocation-candidates
import type { Version } from '#kit/http/operation.ts'
import type { CandidatesRequest } from './request.ts'
import type { Candidate } from './search.ts'
import type { Provider, Scene } from './world.ts'

export function candidatesView(version: Version, scene: Scene, request: CandidatesRequest, candidates: Candidate[]): object {
  const asDictionary = version.since('1.12'), mapped = version.since('1.34')
  // Plain loops: this is run for thousands of rows.
  const requests = candidates.map(({ allocations, mappings }) => {
    const one: { allocations: object, mappings?: object } = { allocations: asDictionary ? dictionary(allocations) : [...allocations].map(([p, of]) => ({ resource_provider: { uuid: p.id }, resources: Object.fromEntries(of) })) }
    if (mapped) {
      const shown: Record<string, string[]> = one.mappings = {}
      for (const [suffix, providers] of mappings) shown[suffix] = providers.size === 1 ? [[...providers][0]!.id] : [...providers].map((p) => p.id).sort()
    }
    return one
  })
  return { allocation_requests: requests, provider_summaries: summaries(version, scene, request, candidates) }
}

function dictionary(allocations: Candidate['allocations']): object {
  const shown: Record<string, { resources: Record<string, number> }> = {}
  for (const [p, of] of allocations) {
    const resources: Record<string, number> = {}
    for (const [name, amount] of of) resources[name] = amount
    shown[p.id] = { resources }
  }
  return shown
}

/** Of every provider in the trees that something is taken from; where trees are not known, of those it is taken from. */
function summaries(version: Version, scene: Scene, request: CandidatesRequest, candidates: Candidate[]): object {
  const withTraits = version.since('1.17'), all = version.since('1.27'), nested = version.since('1.29')
  const asked = new Set(request.groups.flatMap((g) => g.resources.map(([name]) => name)))
  // Thousands of hosts with the same traits: one array for all of them.
  const arrays = new Map<ReadonlySet<string>, string[]>()
  const traitsOf = ({ traits }: Provider): string[] => { let list = arrays.get(traits); if (!list) arrays.set(traits, list = [...traits]); return list }
  const view = (p: Provider): object => {
    const resources: Record<string, object> = {}
    for (const [name, { capacity, used }] of p.inventories) if (all || asked.has(name)) resources[name] = { capacity, used }
    const shown: Record<string, unknown> = { resources }
    if (withTraits) shown.traits = traitsOf(p)
    if (nested) { shown.parent_provider_uuid = p.parentId; shown.root_provider_uuid = p.rootId }
    return shown
  }
  const used = new Set<Provider>()
  for (const { allocations } of candidates) for (const p of allocations.keys()) used.add(p)
  const shown = request.nested ? [...new Set([...used].map((p) => p.rootId))].flatMap((rootId) => scene.trees.get(rootId) ?? []) : [...used]
  return Object.fromEntries(shown.map((p) => [p.id, view(p)]))
}

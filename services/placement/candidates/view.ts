// https://docs.openstack.org/api-ref/placement/#list-allocation-candidates
import type { Version } from '#kit/http/operation.ts'
import type { CandidatesRequest } from './request.ts'
import type { Candidate } from './search.ts'
import type { Provider, Scene } from './world.ts'

export function candidatesView(version: Version, scene: Scene, request: CandidatesRequest, candidates: Candidate[]): object {
  const asDictionary = version.since('1.12'), mapped = version.since('1.34')
  const requests = candidates.map(({ allocations, mappings }) => ({
    allocations: asDictionary
      ? Object.fromEntries([...allocations].map(([p, of]) => [p.id, { resources: Object.fromEntries(of) }]))
      : [...allocations].map(([p, of]) => ({ resource_provider: { uuid: p.id }, resources: Object.fromEntries(of) })),
    ...(mapped && { mappings: Object.fromEntries([...mappings].map(([suffix, providers]) => [suffix, [...providers].map((p) => p.id).sort()])) }),
  }))
  return { allocation_requests: requests, provider_summaries: summaries(version, scene, request, candidates) }
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
    return { resources, ...(withTraits && { traits: traitsOf(p) }), ...(nested && { parent_provider_uuid: p.parentId, root_provider_uuid: p.rootId }) }
  }
  const used = new Set<Provider>()
  for (const { allocations } of candidates) for (const p of allocations.keys()) used.add(p)
  const shown = request.nested ? [...new Set([...used].map((p) => p.rootId))].flatMap((rootId) => scene.trees.get(rootId) ?? []) : [...used]
  return Object.fromEntries(shown.map((p) => [p.id, view(p)]))
}

// Worlds and requests made by chance: small enough for the reference model, with everything in them that a request can ask for.
import type { InventoryRow } from '../schema.ts'
import { id as uuid } from '../testing.ts'
import type { PlainProvider } from './reference.testing.ts'
import type { CandidatesRequest, Group } from './request.ts'

/** mulberry32: the same numbers from the same seed on every machine. */
export const chance = (seed: number) => {
  const next = (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n: number): number => Math.floor(next() * n)
  return { below, often: (p: number): boolean => next() < p, some: <T>(list: readonly T[], p: number): T[] => list.filter(() => next() < p), one: <T>(list: readonly T[]): T => list[below(list.length)]! }
}
export const classes = ['VCPU', 'DISK_GB', 'VGPU'], traits = ['CUSTOM_A', 'CUSTOM_B', 'CUSTOM_C'], aggregates = [uuid(91), uuid(92)]

export type Chance = ReturnType<typeof chance>

export const stockFrom = (r: Chance, providerId: string): InventoryRow[] => r.some(classes, 0.7).map((resourceClass): InventoryRow => {
  const total = 2 + r.below(8)
  return { providerId, resourceClass, total, reserved: r.below(2), minUnit: r.one([1, 1, 2]), maxUnit: 2 + r.below(6), stepSize: r.one([1, 1, 2]), allocationRatio: r.one([1, 1, 1.5]), used: r.below(3) }
})

/** Providers that hang together somehow, and have something. */
export function worldFrom(r: Chance): PlainProvider[] {
  const made: PlainProvider[] = [], n = 2 + r.below(4)
  for (let i = 0; i < n; i++) {
    const parent = made.length > 0 && r.often(0.5) ? r.one(made) : undefined, id = uuid(i)
    const inventories = stockFrom(r, id)
    const has = new Set(r.some(traits, 0.4))
    if (r.often(0.3)) has.add('MISC_SHARES_VIA_AGGREGATE')
    made.push({ id, parentId: parent?.id ?? null, rootId: parent?.rootId ?? id, inventories, traits: has, aggregates: new Set(r.some(aggregates, 0.4)) })
  }
  return made
}

export function requestFrom(r: Chance, world: { id: string }[]): CandidatesRequest {
  const group = (suffix: string, resources: [string, number][]): Group => {
    const forbidden = r.often(0.2) ? [r.one(traits)] : []
    const required = r.often(0.35) ? [r.some(traits, 0.5)].filter((any) => any.some((t) => !forbidden.includes(t))) : []
    return {
      suffix, granular: suffix !== '', resources, forbidden, required, memberOf: r.often(0.25) ? [[r.one(aggregates)]] : [], notMemberOf: r.often(0.15) ? [r.one(aggregates)] : [],
      ...(r.often(0.15) && { inTree: r.one(world).id }),
    }
  }
  const resources = (): [string, number][] => { const some = r.some(classes, 0.45); return (some.length > 0 ? some : [r.one(classes)]).slice(0, 2).map((c): [string, number] => [c, 1 + r.below(3)]) }
  const groups: Group[] = [], suffixes = ['1', '_B'].slice(0, r.below(3))
  if (suffixes.length === 0 || r.often(0.6)) groups.push(group('', resources()))
  for (const [i, suffix] of suffixes.entries()) groups.push(group(suffix, i === 1 && r.often(0.3) ? [] : resources()))
  const bare = groups.filter((g) => g.resources.length === 0).map((g) => g.suffix), granular = groups.filter((g) => g.granular).map((g) => g.suffix)
  const root = r.often(0.15) ? r.one(traits) : undefined
  return {
    groups, isolate: r.often(0.4), nested: bare.length > 0 || r.often(0.85), rootRequired: root && r.often(0.5) ? [root] : [], rootForbidden: root && r.often(0.5) ? [traits.find((t) => t !== root)!] : [],
    sameSubtrees: bare.length > 0 || (granular.length > 0 && r.often(0.35)) ? [granular] : [],
  }
}

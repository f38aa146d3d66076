// The search beside the reference model, over worlds and requests made by chance; seeds that once told them apart are kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chance, requestFrom, worldFrom } from './chance.testing.ts'
import { canonical, referenceCandidates, type PlainProvider } from './reference.testing.ts'
import type { CandidatesRequest, Group } from './request.ts'
import { search, type Candidate, type Found } from './search.ts'
import { providerOf, sceneOf, stocksOf, type Provider } from './world.ts'

const sceneFrom = (world: PlainProvider[]) => sceneOf(world.map((p): Provider => providerOf({ ...p, name: p.id, stamp: 0 }, stocksOf(p.inventories), p.inventories.map((i) => i.used), p.traits, p.aggregates)))

/** The search in one go, and how often it paused. */
function found(world: PlainProvider[], request: CandidatesRequest, atOnce?: number): Found & { pauses: number } {
  const work = search(sceneFrom(world), request, atOnce)
  for (let pauses = 0; ; pauses++) { const step = work.next(); if (step.done) return { ...step.value, pauses } }
}
const spellAll = ({ parts, candidates }: Found): string[] => candidates.map((c: Candidate) => canonical(parts.map((part, i) => ({ ...part, p: c[i]! }))))

function compare(seed: number): { found: number, pauses: number } {
  const r = chance(seed), world = worldFrom(r), request = requestFrom(r, world)
  const all = found(world, request), spelt = spellAll(all), expected = referenceCandidates(world, request)
  const told = `seed ${seed}: ${JSON.stringify({ request, world: world.map((p) => ({ ...p, traits: [...p.traits], aggregates: [...p.aggregates] })) })}`
  assert.equal(new Set(spelt).size, spelt.length, `one twice, ${told}`)
  assert.deepEqual([...spelt].sort(), [...expected].sort(), told)
  // A limit cuts, and changes nothing else.
  const limit = 1 + r.below(3), few = spellAll(found(world, { ...request, limit }))
  assert.deepEqual(few, spelt.slice(0, limit), told)
  // Nor does it matter how often it pauses.
  const slowly = found(world, request, 1 + r.below(5))
  assert.deepEqual(spellAll(slowly), spelt, told)
  return { found: spelt.length, pauses: slowly.pauses }
}

const kept: number[] = []
for (const seed of kept) test(`the world of seed ${seed}`, () => { compare(seed) })

test('2,000 worlds by chance', () => {
  let something = 0, pauses = 0
  for (let seed = 1; seed <= 2000; seed++) { const told = compare(seed); if (told.found > 0) something++; pauses += told.pauses }
  assert.ok(pauses > 2000, `only ${pauses} pauses`)
  assert.ok(something > 300, `only ${something} of the requests had candidates: the worlds are too poor to tell anything`)
})

const plain = (id: string, rootId: string, resourceClass: string, total: number): PlainProvider => ({
  id, parentId: id === rootId ? null : rootId, rootId, traits: new Set(), aggregates: new Set(), inventories: [{ providerId: id, resourceClass, total, reserved: 0, minUnit: 1, maxUnit: total, stepSize: 1, allocationRatio: 1, used: 0 }],
})
const group = (suffix: string, resourceClass: string): Group => ({ suffix, granular: suffix !== '', resources: [[resourceClass, 1]], required: [], forbidden: [], memberOf: [], notMemberOf: [] })
const plainly = { isolate: true, nested: true, rootRequired: [], rootForbidden: [], sameSubtrees: [] }

test('what would never end ends with what it has, and pauses on its way', () => {
  const world = Array.from({ length: 30 }, (_x, i) => plain(`p${i}`, 'p0', 'VGPU', 100)), groups = Array.from({ length: 12 }, (_x, i) => group(`${i + 1}`, 'VGPU'))
  const { candidates, pauses } = found(world, { ...plainly, groups }, 1000)
  assert.ok(candidates.length > 1000 && candidates.length <= 10_000, `${candidates.length}`)
  assert.ok(pauses > 1, `${pauses} pauses`)
  assert.equal(found(world, { ...plainly, groups, limit: 5 }).candidates.length, 5)
})

test('what is nowhere to be had is looked for with pauses too', () => {
  const world = Array.from({ length: 500 }, (_x, i) => plain(`p${i}`, `p${i}`, 'VGPU', 100))
  assert.ok(found(world, { ...plainly, groups: [group('', 'VCPU')] }, 100).pauses >= 5)
  // Combinations of which none goes.
  const tree = Array.from({ length: 8 }, (_x, i) => plain(`p${i}`, 'p0', 'VGPU', 100)), nine = Array.from({ length: 9 }, (_x, i) => group(`${i}`, 'VGPU'))
  const { candidates, pauses } = found(tree, { ...plainly, groups: nine })
  assert.deepEqual([candidates.length, pauses > 3], [0, true])
})

test('trees take turns: a limit does not mean all in one tree', () => {
  const world = ['a', 'b', 'c'].flatMap((root) => [0, 1, 2].map((i) => plain(`${root}${i}`, `${root}0`, 'VCPU', 9)))
  assert.deepEqual(found(world, { ...plainly, groups: [group('', 'VCPU')], limit: 3 }).candidates.map((c) => c[0]!.rootId), ['a0', 'b0', 'c0'])
})

// Candidates as they are answered: what is kept between questions never shows, and who asks much does not hold up the others.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestApi } from '#kit/testing/api.ts'
import { placementDeps } from '../deps.ts'
import type { InventoryRow } from '../schema.ts'
import { id, startPlacement } from '../testing.ts'
import { aggregates, chance, classes, requestFrom, stockFrom, traits, worldFrom, type Chance } from './chance.testing.ts'
import { referenceCandidates, spelled, type PlainProvider } from './reference.testing.ts'
import type { CandidatesRequest } from './request.ts'
import type { World } from './world.ts'

let api: TestApi
before(async () => { api = await startPlacement() })
after(() => api.close())
const callOn = (on: TestApi) => (ask: string, body?: unknown, at = '1.39') => { const [method, path] = ask.split(' ') as [string, string]; return on.http(method, `/placement${path}`, { token: 'admin', body, headers: { 'openstack-api-version': `placement ${at}` } }) }
type Ask = ReturnType<typeof callOn>
const rp = (providerId: string): string => `/resource_providers/${providerId}`

function questionOf({ groups, isolate, rootRequired, rootForbidden, sameSubtrees }: CandidatesRequest): string {
  const query = new URLSearchParams()
  for (const g of groups) {
    if (g.resources.length > 0) query.set(`resources${g.suffix}`, g.resources.map(([name, amount]) => `${name}:${amount}`).join())
    for (const any of g.required) query.append(`required${g.suffix}`, `in:${any.join()}`)
    for (const trait of g.forbidden) query.append(`required${g.suffix}`, `!${trait}`)
    for (const any of g.memberOf) query.append(`member_of${g.suffix}`, `in:${any.join()}`)
    for (const aggregate of g.notMemberOf) query.append(`member_of${g.suffix}`, `!${aggregate}`)
    if (g.inTree !== undefined) query.set(`in_tree${g.suffix}`, g.inTree)
  }
  query.set('group_policy', isolate ? 'isolate' : 'none')
  const root = [...rootRequired, ...rootForbidden.map((t) => `!${t}`)]
  if (root.length > 0) query.set('root_required', root.join())
  for (const suffixes of sameSubtrees) query.append('same_subtree', suffixes.join())
  return `GET /allocation_candidates?${query}`
}

/** A group of nothing at all cannot be written. */
function askable(r: Chance, world: PlainProvider[]): CandidatesRequest {
  for (;;) {
    const request = requestFrom(r, world)
    if (request.groups.every((g) => g.resources.length + g.required.length + g.forbidden.length + g.memberOf.length + g.notMemberOf.length > 0)) return { ...request, nested: true }
  }
}

/** The providers as the public API tells of each by itself. */
async function worldOf(ask: Ask): Promise<PlainProvider[]> {
  const { body } = await ask('GET /resource_providers')
  return Promise.all(body.resource_providers.map(async (p: any): Promise<PlainProvider> => {
    const [{ inventories }, { usages }, has, member] = (await Promise.all(['inventories', 'usages', 'traits', 'aggregates'].map((what) => ask(`GET ${rp(p.uuid)}/${what}`)))).map((r) => r.body)
    return {
      id: p.uuid, parentId: p.parent_provider_uuid, rootId: p.root_provider_uuid, traits: new Set(has.traits), aggregates: new Set(member.aggregates),
      inventories: Object.entries<any>(inventories).map(([resourceClass, i]): InventoryRow => ({ providerId: p.uuid, resourceClass, total: i.total, reserved: i.reserved, minUnit: i.min_unit, maxUnit: i.max_unit, stepSize: i.step_size, allocationRatio: i.allocation_ratio, used: usages[resourceClass] })),
    }
  }))
}

const onWire = (rows: InventoryRow[]): object => Object.fromEntries(rows.map((i) => [i.resourceClass, { total: i.total, reserved: i.reserved, min_unit: i.minUnit, max_unit: i.maxUnit, step_size: i.stepSize, allocation_ratio: i.allocationRatio }]))

/** One change of anything that candidates depend on; some are refused. */
async function change(ask: Ask, r: Chance, ids: string[]): Promise<string> {
  const which = r.one(ids), { body: { generation } } = await ask(`GET ${rp(which)}`), seen = { resource_provider_generation: generation }
  const [name, made] = r.one<[string, () => ReturnType<Ask>]>([
    ['inventories', () => ask(`PUT ${rp(which)}/inventories`, { ...seen, inventories: onWire(stockFrom(r, which)) })],
    ['traits', () => ask(`PUT ${rp(which)}/traits`, { ...seen, traits: r.some([...traits, 'MISC_SHARES_VIA_AGGREGATE'], 0.4) })],
    ['aggregates', () => ask(`PUT ${rp(which)}/aggregates`, { ...seen, aggregates: r.some(aggregates, 0.5) })],
    ['allocations', () => ask(`PUT /allocations/${id(100 + r.below(2))}`, { allocations: { [which]: { resources: { [r.one(classes)]: 1 + r.below(2) } } }, project_id: 'p', user_id: 'u' }, '1.27')],
    ['no allocations', () => ask(`DELETE /allocations/${id(100 + r.below(2))}`)],
    ['parent', () => ask(`PUT ${rp(which)}`, { name: which, parent_provider_uuid: r.often(0.4) ? null : r.one(ids) })],
    ['provider', () => ask('POST /resource_providers', { name: id(50 + ids.length), uuid: id(50 + ids.length), parent_provider_uuid: which })],
    ['no provider', () => ask(`DELETE ${rp(which)}`)],
  ])
  const { status } = await made()
  assert.ok([200, 204, 400, 404, 409].includes(status), `${name}: ${status}`)
  return status < 300 ? name : ''
}

test('worlds that change between questions are answered as if each were the first', async () => {
  const changes = new Map<string, number>()
  let something = 0
  for (let seed = 1; seed <= 8; seed++) {
    const own = await startPlacement(), ask = callOn(own), r = chance(seed)
    try {
      for (const trait of traits) await ask(`PUT /traits/${trait}`)
      for (const p of worldFrom(r)) {
        await ask('POST /resource_providers', { name: p.id, uuid: p.id, parent_provider_uuid: p.parentId })
        await ask(`PUT ${rp(p.id)}/inventories`, { resource_provider_generation: 0, inventories: onWire(p.inventories) })
        await ask(`PUT ${rp(p.id)}/traits`, { resource_provider_generation: 1, traits: [...p.traits] })
        await ask(`PUT ${rp(p.id)}/aggregates`, { resource_provider_generation: 2, aggregates: [...p.aggregates] })
      }
      for (let step = 0; step < 8; step++) {
        const world = await worldOf(ask)
        for (let i = 0; i < 3; i++) {
          const request = askable(r, world), question = questionOf(request), { status, body } = await ask(question), told = `seed ${seed}, step ${step}: ${question}`
          assert.equal(status, 200, `${told}: ${JSON.stringify(body)}`)
          const got = body.allocation_requests.map((c: any) => spelled(Object.fromEntries(Object.entries<any>(c.allocations).flatMap(([p, of]) => Object.entries(of.resources).map(([name, n]) => [`${p} ${name}`, n]))) as Record<string, number>, c.mappings))
          assert.deepEqual(got.sort(), [...referenceCandidates(world, request)].sort(), told)
          if (got.length > 0) something++
          const byId = new Map(world.map((p) => [p.id, p])), roots = new Set(body.allocation_requests.flatMap((c: any) => Object.keys(c.allocations)).map((p: string) => byId.get(p)!.rootId))
          assert.deepEqual(body.provider_summaries, Object.fromEntries(world.filter((p) => roots.has(p.rootId)).map((p) => [p.id, {
            resources: Object.fromEntries(p.inventories.map((row) => [row.resourceClass, { capacity: Math.trunc((row.total - row.reserved) * row.allocationRatio), used: row.used }])),
            traits: [...p.traits].sort(), parent_provider_uuid: p.parentId, root_provider_uuid: p.rootId,
          }])), told)
        }
        const name = await change(ask, r, world.map((p) => p.id))
        changes.set(name, (changes.get(name) ?? 0) + 1)
      }
    } finally {
      await own.close()
    }
  }
  assert.ok(something > 30, `only ${something} answers were not empty`)
  assert.ok(changes.size === 9, `not all changes came to pass: ${[...changes]}`)
})

test('before mappings and trees the same answer looks older', async () => {
  const [a, b] = [id(1), id(2)]
  for (const [uuid, parent] of [[a, undefined], [b, a]] as const) await api.http('POST', '/placement/resource_providers', { token: 'admin', headers: { 'openstack-api-version': 'placement 1.39' }, body: { name: uuid, uuid, ...(parent && { parent_provider_uuid: parent }) } })
  const ask = callOn(api)
  await ask(`PUT ${rp(a)}/inventories`, { resource_provider_generation: 0, inventories: { VCPU: { total: 4, allocation_ratio: 2 }, DISK_GB: { total: 9 } } })
  await ask(`PUT ${rp(a)}/traits`, { resource_provider_generation: 1, traits: ['HW_CPU_X86_AVX'] })
  const question = 'GET /allocation_candidates?resources=VCPU:1', at = async (version: string): Promise<any> => (await ask(question, undefined, version)).body
  const vcpu = { VCPU: { capacity: 8, used: 0 } }, both = { ...vcpu, DISK_GB: { capacity: 9, used: 0 } }, has = ['HW_CPU_X86_AVX']
  // The newest first: what was kept for it is not shown to older ones.
  const newest = { resources: both, traits: has, parent_provider_uuid: null, root_provider_uuid: a }, below = { resources: {}, traits: [], parent_provider_uuid: a, root_provider_uuid: a }, request = { allocations: { [a]: { resources: { VCPU: 1 } } } }
  assert.deepEqual(await at('1.34'), { allocation_requests: [{ ...request, mappings: { '': [a] } }], provider_summaries: { [a]: newest, [b]: below } })
  assert.deepEqual(await at('1.33'), { allocation_requests: [request], provider_summaries: { [a]: newest, [b]: below } })
  assert.deepEqual(await at('1.28'), { allocation_requests: [request], provider_summaries: { [a]: { resources: both, traits: has } } })
  assert.deepEqual(await at('1.26'), { allocation_requests: [request], provider_summaries: { [a]: { resources: vcpu, traits: has } } })
  assert.deepEqual(await at('1.16'), { allocation_requests: [request], provider_summaries: { [a]: { resources: vcpu } } })
  assert.deepEqual(await at('1.10'), { allocation_requests: [{ allocations: [{ resource_provider: { uuid: a }, resources: { VCPU: 1 } }] }], provider_summaries: { [a]: { resources: vcpu } } })
  assert.equal((await ask(question)).headers.get('content-type'), 'application/json')
})

test('a question that takes long lets others be answered in between', async () => {
  const ask = callOn(api), deps = api.mounted('placement').deps as { world: World }, { world } = deps
  await ask('POST /resource_providers', { name: 'root', uuid: id(1000) })
  for (let n = 1001; n < 1009; n++) {
    await ask('POST /resource_providers', { name: `of-the-root-${n}`, uuid: id(n), parent_provider_uuid: id(1000) })
    await ask(`PUT ${rp(id(n))}/inventories`, { resource_provider_generation: 0, inventories: { VGPU: { total: 100 } } })
  }
  // Nine of eight: every combination is tried, or a million of them.
  const order: string[] = [], begun = new Promise<void>((resolve) => { deps.world = { fresh: async () => { const scene = await world.fresh(); resolve(); return scene } } })
  const much = ask(`GET /allocation_candidates?group_policy=isolate&${Array.from({ length: 9 }, (_x, i) => `resources${i + 1}=VGPU:1`).join('&')}`).then(({ status }) => { order.push('much'); return status })
  await begun
  deps.world = world
  await ask('GET /')
  order.push('little')
  assert.equal(await much, 200)
  assert.deepEqual(order, ['little', 'much'])
})

test('a scene that somebody looks at for longer stays as it is while the world goes on', async () => {
  const ask = callOn(api), { world } = placementDeps(api.store.as())
  await ask('POST /resource_providers', { name: 'lent', uuid: id(2000) })
  await ask(`PUT ${rp(id(2000))}/inventories`, { resource_provider_generation: 0, inventories: { VCPU: { total: 4 } } })
  const lent = await world.fresh(), size = lent.providers.size
  lent.lent++
  await ask(`PUT /allocations/${id(3000)}`, { allocations: { [id(2000)]: { resources: { VCPU: 1 } } }, project_id: 'p', user_id: 'u' }, '1.27')
  await ask('POST /resource_providers', { name: 'below-the-lent', uuid: id(2001), parent_provider_uuid: id(2000) })
  const later = await world.fresh()
  const seen = (scene: typeof lent) => [scene.providers.size - size, scene.providers.get(id(2000))!.used[0], scene.trees.get(id(2000))!.length]
  assert.deepEqual([seen(lent), seen(later)], [[0, 0, 1], [1, 1, 2]])
  // Nobody looks at the later one: it is brought up to date in place.
  await ask(`DELETE /allocations/${id(3000)}`)
  assert.equal(await world.fresh(), later)
  assert.deepEqual(seen(later), [1, 0, 2])
})

// Many at once: capacity is never passed, generations tell writers apart, trees stay trees, and lists cost what they cost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestApi } from '#kit/testing/api.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { startPlacement, id, play } from './testing.ts'

let api: TestApi
before(async () => { api = await startPlacement() })
after(() => api.close())
const call = (ask: string, body?: unknown, at = '1.38') => { const [method, path] = ask.split(' ') as [string, string]; return api.http(method, `/placement${path}`, { token: 'admin', body, headers: { 'openstack-api-version': `placement ${at}` } }) }
const made = async (n: number, inventories: object = {}, parent?: number): Promise<void> => {
  await play(api, { ask: 'POST /resource_providers', at: '1.39', body: { name: `rp${n}`, uuid: id(n), ...(parent && { parent_provider_uuid: id(parent) }) }, status: 200 })
  await play(api, { ask: `PUT /resource_providers/${id(n)}/inventories`, body: { resource_provider_generation: 0, inventories }, status: 200 })
}
const claim = (provider: number | number[], consumer: number, amount: number, generation: number | null = null) =>
  call(`PUT /allocations/${id(consumer)}`, { allocations: Object.fromEntries([provider].flat().map((n) => [id(n), { resources: { VCPU: amount } }])), project_id: 'p', user_id: 'u', consumer_generation: generation, consumer_type: 'INSTANCE' })
const usage = async (n: number): Promise<number> => (await call(`GET /resource_providers/${id(n)}/usages`)).body.usages.VCPU
const tally = (replies: { status: number }[]): Record<string, number> => Object.fromEntries([...Map.groupBy(replies, (r) => r.status)].map(([s, of]) => [s, of.length]))

test('of 50 claims at a capacity of 10, ten are granted', async () => {
  await made(1, { VCPU: { total: 10 } })
  assert.deepEqual(tally(await Promise.all(Array.from({ length: 50 }, (_x, i) => claim(1, 1000 + i, 1)))), { 204: 10, 409: 40 })
  assert.equal(await usage(1), 10)
  const { body } = await call(`GET /resource_providers/${id(1)}/allocations`)
  assert.equal(Object.keys(body.allocations).length, 10)
  await Promise.all(Object.keys(body.allocations).map((c) => call(`DELETE /allocations/${c}`)))
  assert.equal(await usage(1), 0)
})

test('claims over two providers in either order are all or nothing', async () => {
  await made(2, { VCPU: { total: 10 } })
  await made(3, { VCPU: { total: 10 } })
  const replies = await Promise.all(Array.from({ length: 24 }, (_x, i) => claim(i % 2 ? [2, 3] : [3, 2], 1100 + i, 1)))
  assert.deepEqual(tally(replies), { 204: 10, 409: 14 })
  assert.deepEqual([await usage(2), await usage(3)], [10, 10])
})

test('of many who write one consumer with the generation they saw, one succeeds; of many who make it, one does', async () => {
  await made(4, { VCPU: { total: 1000 } })
  const first = await Promise.all(Array.from({ length: 12 }, () => claim(4, 1200, 3)))
  assert.deepEqual(tally(first), { 204: 1, 409: 11 })
  assert.ok(first.every((r) => r.status === 204 || r.body.errors[0].code === 'placement.concurrent_update'))
  assert.deepEqual(tally(await Promise.all(Array.from({ length: 12 }, (_x, i) => claim(4, 1200, 10 + i, 1)))), { 204: 1, 409: 11 })
  // Who does not care (before 1.28) is always heard, and the sum stays right.
  const blind = await Promise.all(Array.from({ length: 12 }, (_x, i) => call(`PUT /allocations/${id(1200 + (i % 2))}`, { allocations: { [id(4)]: { resources: { VCPU: i + 1 } } }, project_id: 'p', user_id: 'u' }, '1.12')))
  assert.deepEqual(tally(blind), { 204: 12 })
  const { body } = await call(`GET /resource_providers/${id(4)}/allocations`)
  assert.equal(await usage(4), Object.values<any>(body.allocations).reduce((sum, a) => sum + a.resources.VCPU, 0))
})

test('of many who change a provider with the generation they saw, one succeeds', async () => {
  const { body: { generation } } = await call(`GET /resource_providers/${id(4)}`)
  assert.deepEqual(tally(await Promise.all(Array.from({ length: 10 }, (_x, i) => call(`PUT /resource_providers/${id(4)}/inventories`, { resource_provider_generation: generation, inventories: { VCPU: { total: 500 + i } } })))), { 200: 1, 409: 9 })
})

test('moves that would close a loop together do not, and every tree knows its root', async () => {
  for (const n of [10, 20, 30]) { await made(n); await made(n + 1, {}, n); await made(n + 2, {}, n + 1) }
  for (let round = 0; round < 4; round++) {
    await Promise.all([[10, 22], [20, 32], [30, 12], [10, null], [21, 12], [20, null]].map(([child, parent]) =>
      call(`PUT /resource_providers/${id(child!)}`, { name: `rp${child}`, parent_provider_uuid: parent === null ? null : id(parent!) }, '1.39')))
    const { body: { resource_providers: all } } = await call('GET /resource_providers')
    const byId = new Map<string, any>(all.map((p: any) => [p.uuid, p]))
    for (const p of all) {
      let top = p, steps = 0
      while (top.parent_provider_uuid !== null) { top = byId.get(top.parent_provider_uuid); assert.ok(++steps < 100, 'a loop') }
      assert.equal(p.root_provider_uuid, top.uuid, p.name)
    }
  }
})

test('what is used cannot lose its inventory, its class or its provider meanwhile', async () => {
  await call('PUT /resource_classes/CUSTOM_RACE')
  for (let round = 0; round < 5; round++) {
    await made(40 + round)
    const uuid = id(40 + round)
    await Promise.all([call('PUT /resource_classes/CUSTOM_RACE'), call('DELETE /resource_classes/CUSTOM_RACE'), call(`POST /resource_providers/${uuid}/inventories`, { resource_class: 'CUSTOM_RACE', total: 5 })])
    const has = (await call(`GET /resource_providers/${uuid}/inventories/CUSTOM_RACE`)).status
    if (has === 200) assert.equal((await call('GET /resource_classes/CUSTOM_RACE')).status, 200)
    await call('PUT /resource_classes/CUSTOM_RACE')
    await Promise.all([call(`DELETE /resource_providers/${uuid}`), claim(40 + round, 1300 + round, 1), call(`DELETE /resource_providers/${uuid}/inventories`)])
    const { body: { allocations } } = await call(`GET /allocations/${id(1300 + round)}`)
    if (Object.keys(allocations).length > 0) assert.equal((await call(`GET /resource_providers/${uuid}`)).status, 200)
    await call(`DELETE /resource_providers/${uuid}/inventories`)
  }
})

test('a search sees whatever was answered before it was asked, from whichever control plane', async () => {
  // A second plane over the same database: an index of its own.
  const { placementDeps } = await import('./deps.ts')
  const other = placementDeps(api.store.as()), one = api.mounted('placement').deps as typeof other
  await made(60, { VCPU: { total: 3 } })
  for (let i = 0; i < 8; i++) {
    await claim(60, 1400 + i % 3, 1, null)
    if (i % 2) await call(`DELETE /allocations/${id(1400 + (i % 3))}`)
    const used = await usage(60)
    const seen = await Promise.all([other.world.fresh(), one.world.fresh(), other.world.fresh()])
    for (const scene of seen) assert.deepEqual(scene.providers.get(id(60))!.used, [used])
  }
})

test('the index is brought up to date by one look at a time', async () => {
  const { openWorld } = await import('./candidates/world.ts')
  let running = 0, most = 0
  const store = { read: async () => { most = Math.max(most, ++running); await new Promise(setImmediate); running--; return {} } }
  const world = openWorld(store as never), asked: Promise<unknown>[] = []
  asked.push(world.fresh().then(() => { for (let i = 0; i < 5; i++) asked.push(Promise.resolve().then(() => world.fresh())) }), world.fresh())
  // Those who come in any turn between the end of one look and the begin of the next.
  for (let i = 0; i < 200; i++) { asked.push(world.fresh()); await null; if (i % 7 === 0) await new Promise(setImmediate) }
  await Promise.all(asked)
  await Promise.all(asked)
  assert.equal(most, 1)
})

test('candidates and lists cost the same number of queries however many providers there are', async () => {
  const cost = (ask: string): Promise<number> => queriesOf(api.store, async () => assert.equal((await call(ask, undefined, '1.39')).status, 200))
  const asks = ['GET /allocation_candidates?resources=VCPU:1&required=CUSTOM_Q', 'GET /resource_providers?resources=VCPU:1&required=CUSTOM_Q', 'GET /resource_providers', `GET /resource_providers/${id(4)}/allocations`, 'GET /usages?project_id=p', 'GET /traits']
  await call('PUT /traits/CUSTOM_Q')
  const few = [] as number[]
  for (const ask of asks) few.push(await cost(ask))
  for (let n = 70; n < 90; n++) await made(n, { VCPU: { total: 10 } })
  await Promise.all(Array.from({ length: 20 }, (_x, i) => claim(70 + i, 1500 + i, 1)))
  const many = [] as number[]
  for (const ask of asks) many.push(await cost(ask))
  assert.deepEqual(many, few)
  assert.deepEqual(few.slice(0, 2), [2, 2])
})

// https://docs.openstack.org/api-ref/placement/#reshaper
import { badRequest, conflict } from '#base/errors.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { consumers, wantedOf } from '../allocations/fields.ts'
import { replaceAllocations } from '../allocations/write-store.ts'
import { operation } from '../deps.ts'
import { dashed, uuidKey } from '../fields.ts'
import { mustHold, rowsOf, wholeBody } from '../inventories/fields.ts'
import * as inventories from '../inventories/store.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import { codes } from '../replies.ts'

/** Inventory and what is used of it move between providers in one step: for a moment there is the old and the new, then only the new. */
export const reshape = operation({
  name: 'reshape', method: 'POST', path: '/reshaper', summary: 'Move inventories, and what is used of them, between providers at once.',
  status: 204, access: policy.reshape, since: '1.30',
  maxBodyBytes: 16 * 1024 ** 2,
  body: exact({ inventories: Type.Record(uuidKey, wholeBody, { minProperties: 1, maxProperties: 10_000, additionalProperties: false }), allocations: consumers(0) }),
  faults: ['conflict'],
  async handle(_ctx, { body, version }, { store }) {
    const wanted = Object.entries(body.inventories).map(([id, { resource_provider_generation: generation, inventories: of }]) => ({ id: dashed(id), generation, rows: rowsOf(of) }))
    const allocations = Object.entries(body.allocations).map(([id, asked]) => wantedOf(id, asked))
    await store.tx(async (tx) => {
      const held = await providers.hold(tx, wanted.map((w) => w.id))
      for (const { id, generation, rows } of wanted) {
        const row = held.get(id)
        if (!row) throw badRequest(`Resource provider ${id} in inventories not found: No resource provider with uuid ${id} found`, { type: codes.providerNotFound })
        if (row.generation !== generation) {
          throw conflict(`resource provider generation conflict for provider ${id}: actual: ${row.generation}, given: ${generation}`, { type: codes.concurrent })
        }
        mustHold(version, id, 'update', rows)
        const classes = new Set(rows.map((r) => r.resourceClass))
        // An empty inventory says nothing of the time between.
        if (rows.length > 0) {
          const stays = (await inventories.ofProvider(tx, id)).filter((r) => !classes.has(r.resourceClass))
          await inventories.replace(tx, id, [...rows, ...stays.map(({ providerId: _p, used: _u, ...r }) => r)])
        }
      }
      // As if it were done step by step: each of the three moves the generation on.
      await providers.nextGenerations(tx, wanted.filter((w) => w.rows.length > 0).map((w) => w.id))
      await replaceAllocations(tx, allocations)
      for (const { id, rows } of wanted) await inventories.replace(tx, id, rows)
      await providers.nextGenerations(tx, wanted.map((w) => w.id))
    }, { durable: true })
  },
})

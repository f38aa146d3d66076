// What Pileus's own services ask placement beside the public API: a host that makes itself known, and the scheduler's question.
import { exact, Type } from '#kit/http/schema.ts'
import { hasRoom } from '../candidates/fit.ts'
import type { Provider } from '../candidates/world.ts'
import * as names from '../custom-names/store.ts'
import { operation } from '../deps.ts'
import { maxInt } from '../fields.ts'
import { inventoriesField, rowsOf, type Inventory } from '../inventories/fields.ts'
import * as inventories from '../inventories/store.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import { standardTraits } from '../traits/standard.ts'
import * as traits from '../traits/store.ts'

const access = policy.adminOrService

/** Those with most free memory first: nobody wants the fullest thousand of ten thousand hosts. */
export const providersWithRoom = operation({
  name: 'providersWithRoom', method: 'POST', path: '/internal/providers-with-room', summary: 'Providers with room for the resources.', internal: true, access,
  body: exact({ resources: Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: maxInt })), required: Type.Array(Type.String()), limit: Type.Integer({ minimum: 1 }) }),
  async handle(_ctx, { body }, { world }) {
    const { providers } = await world.fresh()
    const resources = Object.entries(body.resources)
    const fit = [...providers.values()].filter((p) =>
      resources.every(([resourceClass, amount]) => hasRoom(p, resourceClass, amount)) && body.required.every((t) => p.traits.has(t)))
    const free = (p: Provider, resourceClass: string): number => {
      const stock = p.inventories.get(resourceClass)
      return stock ? stock.capacity - p.used[stock.at]! : 0
    }
    fit.sort((a, b) => free(b, 'MEMORY_MB') - free(a, 'MEMORY_MB') || (a.id < b.id ? -1 : 1))
    return {
      total: providers.size,
      providers: fit.slice(0, body.limit).map((p) => ({ id: p.id, name: p.name, free: Object.fromEntries([...p.inventories.keys()].map((c) => [c, free(p, c)])) })),
    }
  },
})

/** A compute host makes itself known: provider, inventory and traits, whole and repeatable. */
export const ensureProvider = operation({
  name: 'ensureProvider', method: 'PUT', path: '/internal/providers/{uuid}', summary: 'Make a provider stand with this inventory and these traits.', internal: true, access,
  body: exact({ name: Type.String({ minLength: 1, maxLength: 200 }), inventories: inventoriesField, traits: Type.Array(Type.String()) }),
  async handle(_ctx, { params, body }, { store }) {
    const id = params.uuid!
    const wantedTraits = [...new Set(body.traits)].filter((t) => standardTraits.has(t) || names.isCustom(t)).sort()
    const wanted = rowsOf(body.inventories).map((row) => ({ ...row, maxUnit: Math.min(row.maxUnit, row.total) }))
    // Hosts say the same thing again and again: that costs two reads, and no write.
    const same = await store.read(async (tx) => {
      const standing = new Map((await inventories.ofProvider(tx, id)).map((row) => [row.resourceClass, row]))
      const asBefore = (item: Inventory): boolean => {
        const known = standing.get(item.resourceClass)
        return known !== undefined && (Object.keys(item) as (keyof typeof item)[]).every((key) => known[key] === item[key])
      }
      return standing.size === wanted.length && wanted.every(asBefore) && (await traits.ofProvider(tx, id)).join() === wantedTraits.join()
    })
    if (same && wanted.length > 0) return {}
    await store.tx(async (tx) => {
      const held = (await providers.hold(tx, [id])).get(id) ?? await providers.add(tx, id, body.name)
      for (const trait of wantedTraits) if (names.isCustom(trait)) await names.add(tx, 'trait', trait)
      const changed = [await inventories.replace(tx, id, wanted), await traits.replace(tx, id, wantedTraits)]
      if (changed.includes(true)) await providers.nextGeneration(tx, held)
    }, { durable: true })
    return {}
  },
})

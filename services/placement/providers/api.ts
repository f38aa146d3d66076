// https://docs.openstack.org/api-ref/placement/#resource-providers
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { isUuid, newId } from '#base/ids.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { Reply } from '#kit/http/operation.ts'
import { operation, type Deps } from '../deps.ts'
import * as policy from '../policy.ts'
import type { InventoryRow } from '../schema.ts'
import * as providers from './store.ts'
import { inventoryView, providerView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => providers.find(tx, params.uuid!)),
  sees: policy.providers,
  owner: () => ({}),
  missing: (params: Record<string, string>) => notFound(`No resource provider with uuid ${params.uuid} found`),
}
const name = Type.String({ minLength: 1, maxLength: 200 })

export const listResourceProviders = operation({
  name: 'listResourceProviders', method: 'GET', path: '/resource_providers', summary: 'List resource providers.',
  access: policy.providers,
  query: exact({ name: Type.Optional(Type.String()), uuid: Type.Optional(Type.String()) }),
  async handle(_ctx, { query }, { store }) {
    if (query.uuid !== undefined && !isUuid(query.uuid)) throw badRequest(`Invalid query string parameters: '${query.uuid}' is not a 'uuid'`)
    const rows = await store.read((tx) => providers.list(tx, query))
    return { resource_providers: rows.map(providerView) }
  },
})

export const createResourceProvider = operation({
  name: 'createResourceProvider', method: 'POST', path: '/resource_providers', summary: 'Create a resource provider.', status: 201,
  access: policy.providers,
  body: exact({ name, uuid: Type.Optional(Type.String()) }),
  async handle(_ctx, { body, urls }, { store }) {
    if (body.uuid !== undefined && !isUuid(body.uuid)) throw badRequest(`JSON does not validate: '${body.uuid}' is not a 'uuid'`)
    const row = await store.tx((tx) => providers.add(tx, body.uuid ?? newId(), body.name))
    return new Reply({ headers: { location: `${urls.api}/resource_providers/${row.id}` } })
  },
})

export const showResourceProvider = operation({
  name: 'showResourceProvider', method: 'GET', path: '/resource_providers/{uuid}', summary: 'Show a resource provider.',
  access: policy.providers, target,
  handle: async (_ctx, { target }) => providerView(target),
})

export const updateResourceProvider = operation({
  name: 'updateResourceProvider', method: 'PUT', path: '/resource_providers/{uuid}', summary: 'Rename a resource provider.',
  access: policy.providers, target, body: exact({ name }),
  async handle(_ctx, { target, body }, { store }) {
    await store.tx(async (tx) => {
      const [taken] = await providers.list(tx, { name: body.name })
      if (taken && taken.id !== target.id) throw conflict(`Conflicting resource provider ${body.name} already exists.`)
      await providers.rename(tx, target.id, body.name)
    })
    return providerView({ ...target, name: body.name })
  },
})

export const deleteResourceProvider = operation({
  name: 'deleteResourceProvider', method: 'DELETE', path: '/resource_providers/{uuid}', summary: 'Delete a resource provider that nothing uses.',
  access: policy.providers, target,
  handle: async (_ctx, { target }, { store }) => store.tx((tx) => providers.remove(tx, target.id)),
})

export const listInventories = operation({
  name: 'listInventories', method: 'GET', path: '/resource_providers/{uuid}/inventories', summary: 'What a provider has.',
  access: policy.providers, target,
  handle: async (_ctx, { target }, { store }) => inventoryView(target, await store.read((tx) => providers.inventories(tx, target.id))),
})

const amount = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
const inventory = exact({
  total: amount, reserved: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })), min_unit: Type.Optional(amount), max_unit: Type.Optional(amount),
  step_size: Type.Optional(amount), allocation_ratio: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
})
export const replaceInventories = operation({
  name: 'replaceInventories', method: 'PUT', path: '/resource_providers/{uuid}/inventories', summary: 'Replace what a provider has.',
  access: policy.providers, target,
  body: exact({ resource_provider_generation: Type.Integer(), inventories: Type.Record(Type.String({ pattern: '^[A-Z0-9_]+$' }), inventory) }),
  async handle(_ctx, { target, body }, { store }) {
    const wanted = Object.entries(body.inventories).map(([resourceClass, i]) => {
      if ((i.reserved ?? 0) >= i.total) throw badRequest(`Unable to update inventory for resource provider ${target.id}: Invalid inventory for '${resourceClass}': reserved must be less than total.`)
      return { resourceClass, total: i.total, reserved: i.reserved ?? 0, minUnit: i.min_unit ?? 1, maxUnit: i.max_unit ?? 2_147_483_647, stepSize: i.step_size ?? 1, allocationRatio: i.allocation_ratio ?? 1 }
    })
    return store.tx(async (tx) => {
      const row = await providers.replaceInventories(tx, target.id, body.resource_provider_generation, wanted)
      return inventoryView(row, await providers.inventories(tx, target.id))
    }, { durable: true })
  },
})

export const showUsages = operation({
  name: 'showProviderUsages', method: 'GET', path: '/resource_providers/{uuid}/usages', summary: 'What of a provider is in use.',
  access: policy.providers, target,
  async handle(_ctx, { target }, { store }) {
    const rows = await store.read((tx) => providers.inventories(tx, target.id))
    return { resource_provider_generation: target.generation, usages: Object.fromEntries(rows.map((r: InventoryRow) => [r.resourceClass, r.used])) }
  },
})

/** The scheduler's question, until allocation candidates are whole: not for users. */
export const providersWithRoom = operation({
  name: 'providersWithRoom', method: 'POST', path: '/internal/providers-with-room', summary: 'Providers with room for the resources.', internal: true,
  access: policy.providers,
  body: exact({ resources: Type.Record(Type.String(), amount), required: Type.Array(Type.String()), limit: Type.Integer({ minimum: 1 }) }),
  async handle(_ctx, { body }, { store }) {
    const { found, total } = await store.read(async (tx) => ({
      found: await providers.withRoom(tx, body.resources, body.required, body.limit), total: await providers.countAll(tx),
    }))
    return { total, providers: found.map((p) => ({ id: p.id, name: p.name, free: Object.fromEntries(p.inventories.map((i) => [i.resourceClass, Math.floor((i.total - i.reserved) * i.allocationRatio) - i.used])) })) }
  },
})

/** A compute host makes itself known: provider, inventory and traits, whole and repeatable. */
export const ensureProvider = operation({
  name: 'ensureProvider', method: 'PUT', path: '/internal/providers/{uuid}', summary: 'Make a provider stand with this inventory and these traits.', internal: true,
  access: policy.providers,
  body: exact({ name, inventories: Type.Record(Type.String(), inventory), traits: Type.Array(Type.String()) }),
  async handle(_ctx, { params, body }, { store }) {
    await store.tx(async (tx) => {
      const id = params.uuid!
      const row = await providers.find(tx, id) ?? await providers.add(tx, id, body.name)
      const wanted = Object.entries(body.inventories).map(([resourceClass, i]) => ({
        resourceClass, total: i.total, reserved: i.reserved ?? 0, minUnit: 1, maxUnit: i.max_unit ?? i.total, stepSize: 1, allocationRatio: i.allocation_ratio ?? 1,
      }))
      await providers.replaceInventories(tx, id, row.generation, wanted)
      await providers.replaceTraits(tx, id, body.traits)
    }, { durable: true })
    return {}
  },
})

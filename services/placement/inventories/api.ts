// https://docs.openstack.org/api-ref/placement/#resource-provider-inventories and #resource-provider-inventory
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { exact, Type } from '#kit/http/schema.ts'
import * as names from '../custom-names/store.ts'
import { operation } from '../deps.ts'
import { className } from '../fields.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import { target } from '../providers/target.ts'
import { codes, dated, notAllowed } from '../replies.ts'
import { standardClasses } from '../resource-classes/standard.ts'
import { fields, inventoriesView, inventoryView, mustHold, rowOf, rowsOf, wholeBody } from './fields.ts'
import * as inventories from './store.ts'

const access = policy.adminOrService
const many = '/resource_providers/{uuid}/inventories', single = `${many}/{resource_class}`

export const listInventories = operation({
  name: 'listInventories', method: 'GET', path: many, summary: 'What a provider has.', access, target,
  async handle(_ctx, { target, version }, { store }) {
    const rows = await store.read((tx) => inventories.ofProvider(tx, target.id))
    return dated(version, inventoriesView(target.generation, rows), target.updatedAt)
  },
})

export const replaceInventories = operation({
  name: 'replaceInventories', method: 'PUT', path: many, summary: 'Replace all that a provider has.', access, target, body: wholeBody,
  faults: ['conflict'],
  async handle(_ctx, { target: { id }, body, version }, { store }) {
    const wanted = rowsOf(body.inventories)
    const { row, rows } = await store.tx(async (tx) => {
      const held = await providers.holdAt(tx, id, body.resource_provider_generation)
      mustHold(version, id, 'update', wanted)
      await inventories.replace(tx, id, wanted)
      return { row: await providers.nextGeneration(tx, held), rows: await inventories.ofProvider(tx, id) }
    }, { durable: true })
    return dated(version, inventoriesView(row.generation, rows), row.updatedAt)
  },
})

export const deleteInventories = operation({
  name: 'deleteInventories', method: 'DELETE', path: many, summary: 'Take all that it has from a provider (from 1.5 on).', access, status: 204,
  target: {
    ...target,
    async load(ctx, params, deps, input) {
      if (!input.version.since('1.5')) throw notAllowed('GET, POST, PUT')
      return target.load(ctx, params, deps, input)
    },
  },
  faults: ['conflict', 'methodNotAllowed'],
  async handle(_ctx, { target: { id } }, { store }) {
    await store.tx(async (tx) => {
      const held = await providers.holdOne(tx, id)
      await inventories.replace(tx, id, [], '')
      await providers.nextGeneration(tx, held)
    }, { durable: true })
  },
})

export const createInventory = operation({
  name: 'createInventory', method: 'POST', path: many, summary: 'Give a provider something of one more resource class.', access, target, status: 201,
  body: exact({ ...fields, resource_class: Type.String(className), resource_provider_generation: Type.Optional(Type.Integer()) }),
  faults: ['conflict'],
  async handle(_ctx, { target: { id }, body, version, urls }, { store }) {
    const item = rowOf(body.resource_class, body)
    const row = await store.tx(async (tx) => {
      // A generation may be said, and is not looked at.
      const held = await providers.holdOne(tx, id)
      mustHold(version, id, 'create', [item])
      await inventories.mustKnowClasses(tx, id, 'Unable to create inventory for resource provider', [item.resourceClass])
      await inventories.add(tx, id, item, () => conflict(`Update conflict: resource provider ${id} has inventory of ${item.resourceClass} already.`, { type: codes.concurrent }))
      return providers.nextGeneration(tx, held)
    }, { durable: true })
    const headers = { location: `${urls.api}/resource_providers/${id}/inventories/${item.resourceClass}` }
    return dated(version, { ...inventoryView(item), resource_provider_generation: row.generation }, row.updatedAt, { headers })
  },
})

export const showInventory = operation({
  name: 'showInventory', method: 'GET', path: single, summary: 'What a provider has of one resource class.', access, target,
  async handle(_ctx, { target, params, version }, { store }) {
    const row = await store.read((tx) => inventories.find(tx, target.id, params.resource_class!))
    if (!row) throw notFound(`No inventory of class ${params.resource_class} for ${target.id}`)
    return dated(version, { ...inventoryView(row), resource_provider_generation: target.generation }, target.updatedAt)
  },
})

export const updateInventory = operation({
  name: 'updateInventory', method: 'PUT', path: single, summary: 'Change what a provider has of one resource class.', access, target,
  body: exact({ ...fields, resource_provider_generation: Type.Integer() }),
  faults: ['conflict'],
  async handle(_ctx, { target: { id }, params, body, version }, { store }) {
    const item = rowOf(params.resource_class!, body)
    const row = await store.tx(async (tx) => {
      const held = await providers.holdAt(tx, id, body.resource_provider_generation)
      mustHold(version, id, 'update', [item])
      const [unknown] = await names.unknown(tx, 'resourceClass', [item.resourceClass], standardClasses)
      if (unknown !== undefined) throw notFound(`No such resource class ${unknown}.`)
      if (!await inventories.find(tx, id, item.resourceClass)) {
        throw badRequest(`No inventory record with resource class for resource provider ${id}: No inventory of class ${item.resourceClass} found.`)
      }
      await inventories.update(tx, id, item)
      return providers.nextGeneration(tx, held)
    }, { durable: true })
    return dated(version, { ...inventoryView(item), resource_provider_generation: row.generation }, row.updatedAt)
  },
})

export const deleteInventory = operation({
  name: 'deleteInventory', method: 'DELETE', path: single, summary: 'Take what it has of one resource class from a provider.', access, target, status: 204,
  faults: ['conflict'],
  async handle(_ctx, { target: { id }, params }, { store }) {
    const resourceClass = params.resource_class!
    await store.tx(async (tx) => {
      const held = await providers.holdOne(tx, id), row = await inventories.find(tx, id, resourceClass)
      if (!row) throw notFound(`No inventory of class ${resourceClass} found for delete: No inventory of class ${resourceClass} found for delete`)
      // The original calls this a concurrent update too, and clients try again.
      if (row.used > 0) {
        throw conflict(`Unable to delete inventory of class ${resourceClass}: Inventory for '${resourceClass}' on resource provider '${id}' in use.`, { type: codes.concurrent })
      }
      await inventories.remove(tx, id, resourceClass)
      await providers.nextGeneration(tx, held)
    }, { durable: true })
  },
})

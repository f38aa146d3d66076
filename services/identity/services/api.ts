// https://docs.openstack.org/api-ref/identity/v3/#service-catalog-and-endpoints
import { newHexId } from '#base/ids.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import * as policy from '../catalog/policy.ts'
import * as catalog from '../catalog/store.ts'
import { serviceView } from '../catalog/view.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkFixed, collection, extraOf, field, listQuery, pageOf, termsOf } from '../fields.ts'
import type { ServiceRow } from '../schema.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => catalog.findService(tx, params.service_id!)),
  sees: policy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('service', params.service_id!),
}
const known = ['id', 'type', 'name', 'description', 'enabled', 'links'] as const
const fields = {
  type: field.name(), name: Type.Optional(nullable(Type.String({ maxLength: 255 }))), description: Type.Optional(field.description),
  enabled: Type.Optional(field.enabled),
}

export const listServices = operation({
  name: 'listServices', method: 'GET', path: '/services', summary: 'List services.', access: policy.readCatalog, query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => catalog.listServices(tx, termsOf(query, { type: 'type', name: 'name' }), page))
    return collection('services', rows, (row) => serviceView(row, urls.api), urls, page)
  },
})

export const showService = operation({
  name: 'showService', method: 'GET', path: '/services/{service_id}', summary: 'Show a service.', access: policy.readCatalog, target,
  handle: async (_ctx, { target, urls }) => ({ service: serviceView(target, urls.api) }),
})

export const createService = operation({
  name: 'createService', method: 'POST', path: '/services', summary: 'Create a service.', status: 201, access: policy.changeCatalog, body: exact({ service: lenient(fields) }),
  async handle(_ctx, { body: { service }, urls }, { store }) {
    const row: ServiceRow = {
      id: newHexId(), type: service.type, name: service.name ?? null, description: service.description ?? null,
      enabled: flag(service.enabled ?? true), extra: extraOf(service, known),
    }
    await store.tx((tx) => catalog.addService(tx, row))
    return { service: serviceView(row, urls.api) }
  },
})

export const updateService = operation({
  name: 'updateService', method: 'PATCH', path: '/services/{service_id}', summary: 'Change a service.', access: policy.changeCatalog, target,
  body: exact({ service: lenient({ ...fields, type: Type.Optional(fields.type) }, { minProperties: 1 }) }),
  async handle(_ctx, { target, body: { service }, urls }, { store }) {
    checkFixed(service, { id: target.id })
    const row = await store.tx(async (tx) => {
      const current = await catalog.findService(tx, target.id)
      if (!current) throw missing('service', target.id)
      const next: ServiceRow = {
        ...current, type: service.type ?? current.type, name: service.name === undefined ? current.name : service.name,
        description: service.description === undefined ? current.description : service.description,
        enabled: flag(service.enabled ?? current.enabled === 1), extra: extraOf(service, known, current),
      }
      await catalog.saveService(tx, current, next)
      return next
    })
    return { service: serviceView(row, urls.api) }
  },
})

export const deleteService = operation({
  name: 'deleteService', method: 'DELETE', path: '/services/{service_id}', summary: 'Delete a service with its endpoints.', access: policy.changeCatalog, target,
  handle: async (_ctx, { target }, { store }) => store.tx((tx) => catalog.removeService(tx, target.id)),
})

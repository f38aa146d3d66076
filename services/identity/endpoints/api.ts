// https://docs.openstack.org/api-ref/identity/v3/#service-catalog-and-endpoints
import { badRequest } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { exact, lenient, nullable, oneOf, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import * as policy from '../catalog/policy.ts'
import * as catalog from '../catalog/store.ts'
import { endpointView } from '../catalog/view.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkFixed, collection, extraOf, field, listQuery, pageOf, termsOf } from '../fields.ts'
import type { EndpointRow } from '../schema.ts'

export const endpointTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => catalog.findEndpoint(tx, params.endpoint_id!)),
  sees: policy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('endpoint', params.endpoint_id!),
}
const known = ['id', 'interface', 'service_id', 'region_id', 'region', 'url', 'enabled', 'links'] as const
const regionId = Type.Optional(nullable(Type.String({ maxLength: 255 })))
const fields = {
  interface: oneOf('admin', 'internal', 'public'), service_id: field.id, region_id: regionId, region: regionId, enabled: Type.Optional(field.enabled),
  url: Type.String({ maxLength: 2048, pattern: '^[a-zA-Z0-9+.-]+:.+' }),
}

/** Only these may be filled in for the caller. */
function checkUrl(url: string): void {
  const names = [...url.matchAll(/[%$]\(([^)]*)\)(s?)/g)]
  if (names.some(([, name, s]) => s !== 's' || !['project_id', 'tenant_id', 'user_id'].includes(name!))) {
    throw badRequest(`Cannot create an endpoint with an invalid URL: ${url.slice(0, 200)}.`)
  }
}
/** keystone's older `region` makes the region when there is none. */
async function settleRegion(tx: IdentityTx, asked: { region_id?: string | null, region?: string | null }, current: string | null): Promise<string | null> {
  if (asked.region_id) {
    if (!await catalog.findRegion(tx, asked.region_id)) throw badRequest(`Could not find region: ${asked.region_id}.`)
    return asked.region_id
  }
  if (asked.region) {
    if (!await catalog.findRegion(tx, asked.region)) await catalog.addRegion(tx, { id: asked.region, description: '', parentRegionId: null, extra: '{}' })
    return asked.region
  }
  return asked.region_id === null ? null : current
}
async function checkService(tx: IdentityTx, id: string): Promise<void> {
  if (!await catalog.findService(tx, id)) throw badRequest(`Could not find service: ${id}.`)
}

export const listEndpoints = operation({
  name: 'listEndpoints', method: 'GET', path: '/endpoints', summary: 'List endpoints.', access: policy.readCatalog,
  query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => catalog.listEndpoints(tx, termsOf(query, { interface: 'interface', service_id: 'serviceId', region_id: 'regionId' }), page))
    return collection('endpoints', rows, (row) => endpointView(row, urls.api), urls, page)
  },
})

export const showEndpoint = operation({
  name: 'showEndpoint', method: 'GET', path: '/endpoints/{endpoint_id}', summary: 'Show an endpoint.', access: policy.readCatalog, target: endpointTarget,
  handle: async (_ctx, { target, urls }) => ({ endpoint: endpointView(target, urls.api) }),
})

export const createEndpoint = operation({
  name: 'createEndpoint', method: 'POST', path: '/endpoints', summary: 'Create an endpoint.', status: 201, access: policy.changeCatalog, body: exact({ endpoint: lenient(fields) }),
  async handle(_ctx, { body: { endpoint }, urls }, { store }) {
    checkUrl(endpoint.url)
    const row: EndpointRow = {
      id: newHexId(), interface: endpoint.interface, serviceId: endpoint.service_id, regionId: null, url: endpoint.url,
      enabled: flag(endpoint.enabled ?? true), extra: extraOf(endpoint, known),
    }
    await store.tx(async (tx) => {
      await checkService(tx, row.serviceId)
      row.regionId = await settleRegion(tx, endpoint, null)
      await catalog.addEndpoint(tx, row)
    })
    return { endpoint: endpointView(row, urls.api) }
  },
})

export const updateEndpoint = operation({
  name: 'updateEndpoint', method: 'PATCH', path: '/endpoints/{endpoint_id}', summary: 'Change an endpoint.', access: policy.changeCatalog, target: endpointTarget,
  body: exact({ endpoint: lenient({
    ...fields, interface: Type.Optional(fields.interface), service_id: Type.Optional(fields.service_id), url: Type.Optional(fields.url),
  }, { minProperties: 1 }) }),
  async handle(_ctx, { target, body: { endpoint }, urls }, { store }) {
    checkFixed(endpoint, { id: target.id })
    if (endpoint.url !== undefined) checkUrl(endpoint.url)
    const row = await store.tx(async (tx) => {
      const current = await catalog.findEndpoint(tx, target.id)
      if (!current) throw missing('endpoint', target.id)
      if (endpoint.service_id !== undefined) await checkService(tx, endpoint.service_id)
      const next: EndpointRow = {
        ...current, interface: endpoint.interface ?? current.interface,
        serviceId: endpoint.service_id ?? current.serviceId, regionId: await settleRegion(tx, endpoint, current.regionId),
        url: endpoint.url ?? current.url, enabled: flag(endpoint.enabled ?? current.enabled === 1), extra: extraOf(endpoint, known, current),
      }
      await catalog.saveEndpoint(tx, current, next)
      return next
    })
    return { endpoint: endpointView(row, urls.api) }
  },
})

export const deleteEndpoint = operation({
  name: 'deleteEndpoint', method: 'DELETE', path: '/endpoints/{endpoint_id}', summary: 'Delete an endpoint.', access: policy.changeCatalog, target: endpointTarget,
  handle: async (_ctx, { target }, { store }) => store.tx((tx) => catalog.removeEndpoint(tx, target.id)),
})

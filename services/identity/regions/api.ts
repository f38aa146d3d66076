// https://docs.openstack.org/api-ref/identity/v3/#regions
import { badRequest, forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { exact, lenient, nullable, Type, type Static } from '#kit/http/schema.ts'
import * as policy from '../catalog/policy.ts'
import * as catalog from '../catalog/store.ts'
import { regionView } from '../catalog/view.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkFixed, collection, extraOf, field, listQuery, pageOf, termsOf } from '../fields.ts'
import type { RegionRow } from '../schema.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => catalog.findRegion(tx, params.region_id!)),
  sees: policy.readRegion, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('region', params.region_id!),
}
const known = ['id', 'description', 'parent_region_id', 'links'] as const
const id = Type.String({ maxLength: 255 })
const fields = { id: Type.Optional(id), description: Type.Optional(field.description), parent_region_id: Type.Optional(nullable(id)) }
const body = exact({ region: lenient(fields) })

async function checkParent(tx: IdentityTx, row: RegionRow): Promise<void> {
  if (!row.parentRegionId) return
  const all = new Map((await catalog.allRegions(tx)).map((r) => [r.id, r]))
  if (!all.has(row.parentRegionId)) throw missing('region', row.parentRegionId)
  for (let up: string | null | undefined = row.parentRegionId; up; up = all.get(up)?.parentRegionId) {
    if (up === row.id) throw badRequest(`The specified parent region ${row.parentRegionId} would create a circular region hierarchy.`)
  }
}
async function create(store: Deps['store'], row: RegionRow): Promise<RegionRow> {
  await store.tx(async (tx) => { await checkParent(tx, row); await catalog.addRegion(tx, row) })
  return row
}

export const listRegions = operation({
  name: 'listRegions', method: 'GET', path: '/regions', summary: 'List regions.', access: policy.readRegion, query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => catalog.listRegions(tx, termsOf(query, { parent_region_id: 'parentRegionId' }), page))
    return collection('regions', rows, (row) => regionView(row, urls.api), urls, page)
  },
})

export const showRegion = operation({
  name: 'showRegion', method: 'GET', path: '/regions/{region_id}', summary: 'Show a region.', access: policy.readRegion, target,
  handle: async (_ctx, { target, urls }) => ({ region: regionView(target, urls.api) }),
})

const rowOf = (id: string, region: Static<typeof body>['region']): RegionRow =>
  ({ id, description: region.description ?? '', parentRegionId: region.parent_region_id || null, extra: extraOf(region, known) })

export const createRegion = operation({
  name: 'createRegion', method: 'POST', path: '/regions', summary: 'Create a region.', status: 201, access: policy.changeCatalog, body,
  faults: ['notFound', 'conflict'],
  async handle(_ctx, { body: { region }, urls }, { store }) {
    const row = await create(store, rowOf(region.id || newHexId(), region))
    return { region: regionView(row, urls.api) }
  },
})

export const createRegionWithId = operation({
  name: 'createRegionWithId', method: 'PUT', path: '/regions/{region_id}', summary: 'Create a region under an id.', status: 201, access: policy.changeCatalog, body,
  faults: ['notFound', 'conflict'],
  async handle(_ctx, { params, body: { region }, urls }, { store }) {
    if (region.id !== undefined && region.id !== params.region_id) throw badRequest(`Conflicting region IDs specified: "${params.region_id}" != "${region.id}"`)
    const row = await create(store, rowOf(params.region_id!, region))
    return { region: regionView(row, urls.api) }
  },
})

export const updateRegion = operation({
  name: 'updateRegion', method: 'PATCH', path: '/regions/{region_id}', summary: 'Change a region.',
  access: policy.changeCatalog, target, body: exact({ region: lenient(fields, { minProperties: 1 }) }),
  async handle(_ctx, { target, body: { region }, urls }, { store }) {
    checkFixed(region, { id: target.id })
    const row = await store.tx(async (tx) => {
      const current = await catalog.findRegion(tx, target.id)
      if (!current) throw missing('region', target.id)
      const next: RegionRow = {
        ...current, description: region.description === undefined ? current.description : region.description ?? '',
        parentRegionId: region.parent_region_id === undefined ? current.parentRegionId : region.parent_region_id || null,
        extra: extraOf(region, known, current),
      }
      await checkParent(tx, next)
      await catalog.saveRegion(tx, current, next)
      return next
    })
    return { region: regionView(row, urls.api) }
  },
})

export const deleteRegion = operation({
  name: 'deleteRegion', method: 'DELETE', path: '/regions/{region_id}', summary: 'Delete a region with those below it.', access: policy.changeCatalog, target,
  faults: ['conflict'],
  async handle(_ctx, { target }, { store }) {
    await store.tx(async (tx) => {
      const all = await catalog.allRegions(tx)
      const below = (id: string): string[] => all.filter((r) => r.parentRegionId === id).flatMap((r) => [r.id, ...below(r.id)])
      const ids = [target.id, ...below(target.id)]
      if (await catalog.regionsInUse(tx, ids)) throw forbidden(`Unable to delete region ${target.id} because it or its child regions have associated endpoints.`)
      await catalog.removeRegions(tx, ids)
    })
  },
})

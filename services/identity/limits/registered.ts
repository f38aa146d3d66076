// https://docs.openstack.org/api-ref/identity/v3/#unified-limits, what services register for all projects
import { forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { exact, nullable, Type } from '#kit/http/schema.ts'
import * as catalog from '../catalog/store.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { expecting, missing } from '../faults.ts'
import { collection, field, listQuery, pageOf, termsOf } from '../fields.ts'
import * as policy from './policy.ts'
import type { RegisteredLimitRow } from './schema.ts'
import * as limits from './store.ts'
import { registeredLimitView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => limits.findRegistered(tx, params.registered_limit_id!)),
  sees: policy.readRegistered, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('registered limit', params.registered_limit_id!),
}
/** As keystone's columns bound them; -1 is no limit. */
export const amount = Type.Integer({ minimum: -1, maximum: 0x7fff_ffff })
/** So many may be created by one request. */
export const maxAtOnce = 500
/** What a limit is about. */
export const subjectFields = { service_id: field.id, region_id: Type.Optional(nullable(Type.String({ maxLength: 255 }))), resource_name: field.name() }
const optional = {
  service_id: Type.Optional(field.id), region_id: subjectFields.region_id, resource_name: Type.Optional(field.name()),
  default_limit: Type.Optional(amount), description: Type.Optional(field.description),
}

/** The service and region a limit is about must exist. */
export async function checkSubjects(tx: IdentityTx, subjects: { serviceId: string, regionId: string }[], of: string): Promise<void> {
  const services = new Set((await catalog.servicesIn(tx, subjects.map((s) => s.serviceId))).map((s) => s.id))
  if (subjects.some((s) => !services.has(s.serviceId))) throw expecting('service_id', of)
  const wanted = subjects.map((s) => s.regionId).filter((id) => id !== '')
  const regions = wanted.length > 0 ? new Set((await catalog.allRegions(tx)).map((r) => r.id)) : undefined
  if (wanted.some((id) => !regions!.has(id))) throw expecting('region_id', of)
}

export const listRegisteredLimits = operation({
  name: 'listRegisteredLimits', method: 'GET', path: '/registered_limits', summary: 'List registered limits.', access: policy.readRegistered, query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const terms = termsOf(query, { service_id: 'serviceId', region_id: 'regionId', resource_name: 'resourceName' })
    return collection('registered_limits', await store.read((tx) => limits.listRegistered(tx, terms, page)), (row) => registeredLimitView(row, urls.api), urls, page)
  },
})

export const showRegisteredLimit = operation({
  name: 'showRegisteredLimit', method: 'GET', path: '/registered_limits/{registered_limit_id}', summary: 'Show a registered limit.', access: policy.readRegistered, target,
  handle: async (_ctx, { target, urls }) => ({ registered_limit: registeredLimitView(target, urls.api) }),
})

export const createRegisteredLimits = operation({
  name: 'createRegisteredLimits', method: 'POST', path: '/registered_limits', summary: 'Register limits, all of them or none.', status: 201, access: policy.changeLimit,
  body: exact({ registered_limits: Type.Array(
    exact({ ...subjectFields, default_limit: amount, description: Type.Optional(field.description) }), { minItems: 1, maxItems: maxAtOnce },
  ) }),
  faults: ['conflict'],
  async handle(_ctx, { body, urls }, { store }) {
    const rows = body.registered_limits.map((r): RegisteredLimitRow => ({
      id: newHexId(), serviceId: r.service_id, regionId: r.region_id ?? '', resourceName: r.resource_name, defaultLimit: r.default_limit, description: r.description ?? null,
    }))
    await store.tx(async (tx) => { await checkSubjects(tx, rows, 'registered_limit'); await limits.addRegistered(tx, rows) })
    return { registered_limits: rows.map((row) => registeredLimitView(row, urls.api)) }
  },
})

/** Limits of projects refer to it: it stays as they knew it. */
async function claimUnused(tx: IdentityTx, id: string): Promise<RegisteredLimitRow> {
  await limits.lock(tx, [id])
  const current = await limits.findRegistered(tx, id)
  if (!current) throw missing('registered limit', id)
  if (await limits.inUse(tx, id)) throw forbidden(`Unable to update or delete registered limit ${id} because there are project limits associated with it.`)
  return current
}

export const updateRegisteredLimit = operation({
  name: 'updateRegisteredLimit', method: 'PATCH', path: '/registered_limits/{registered_limit_id}',
  summary: 'Change a registered limit that no project\'s limit refers to.', access: policy.changeLimit, target,
  body: exact({ registered_limit: exact(optional) }),
  async handle(_ctx, { target, body: { registered_limit: asked }, urls }, { store }) {
    const row = await store.tx(async (tx) => {
      const current = await claimUnused(tx, target.id)
      const next: RegisteredLimitRow = {
        ...current, serviceId: asked.service_id ?? current.serviceId,
        regionId: asked.region_id === undefined ? current.regionId : asked.region_id ?? '',
        resourceName: asked.resource_name ?? current.resourceName,
        defaultLimit: asked.default_limit ?? current.defaultLimit, description: asked.description === undefined ? current.description : asked.description,
      }
      await checkSubjects(tx, [next], 'registered_limit')
      await limits.saveRegistered(tx, current, next)
      return next
    })
    return { registered_limit: registeredLimitView(row, urls.api) }
  },
})

export const deleteRegisteredLimit = operation({
  name: 'deleteRegisteredLimit', method: 'DELETE', path: '/registered_limits/{registered_limit_id}',
  summary: 'Delete a registered limit that no project\'s limit refers to.', access: policy.changeLimit, target,
  async handle(_ctx, { target }, { store }) { await store.tx(async (tx) => { await claimUnused(tx, target.id); await limits.removeRegistered(tx, target.id) }) },
})

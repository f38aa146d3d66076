// https://docs.openstack.org/api-ref/identity/v3/#unified-limits, what single projects and domains have instead
import { badRequest, forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { exact, nullable, Type } from '#kit/http/schema.ts'
import { authenticated, service } from '#kit/policy/rules.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { expecting, missing } from '../faults.ts'
import { collection, field, listQuery, pageOf, termsOf } from '../fields.ts'
import * as projects from '../projects/store.ts'
import { checkTree, models } from './model.ts'
import * as policy from './policy.ts'
import { amount, checkSubjects, maxAtOnce, subjectFields } from './registered.ts'
import type { LimitRow, RegisteredLimitRow } from './schema.ts'
import * as limits from './store.ts'
import { limitView } from './view.ts'

type Owned = limits.Limit & { ownerDomainId: string }
const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<Owned | undefined> => store.read(async (tx) => {
    const limit = await limits.find(tx, params.limit_id!)
    return limit && { ...limit, ownerDomainId: limit.domainId || (await projects.find(tx, limit.projectId))?.domainId || '' }
  }),
  sees: policy.showLimit,
  owner: (limit: Owned) => ({ projectId: limit.projectId || null, domainId: limit.ownerDomainId || null }),
  missing: (params: Record<string, string>) => missing('limit', params.limit_id!),
}

export const showLimitModel = operation({
  name: 'showLimitModel', method: 'GET', path: '/limits/model', summary: 'Show the enforcement model of limits.', access: authenticated,
  handle: async (_ctx, _input, { config }) => ({ model: { name: config.enforcementModel, description: models[config.enforcementModel].description } }),
})

export const listLimits = operation({
  name: 'listLimits', method: 'GET', path: '/limits', summary: 'List limits: those of the caller\'s project or domain, or all.', access: policy.listLimits, query: listQuery(),
  async handle({ actor }, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const all = actor.system || actor.service !== undefined || actor.roles.includes('admin') || actor.roles.includes('service')
    const terms = termsOf(query, { service_id: 'serviceId', region_id: 'regionId', resource_name: 'resourceName', project_id: 'projectId', domain_id: 'domainId' })
    // An unscoped token sees none.
    const within = all ? {} : actor.domainId !== undefined ? { domainId: actor.domainId } : { projectId: actor.projectId ?? 'none' }
    return collection('limits', await store.read((tx) => limits.list(tx, terms, page, within)), (row) => limitView(row, urls.api), urls, page)
  },
})

export const showLimit = operation({
  name: 'showLimit', method: 'GET', path: '/limits/{limit_id}', summary: 'Show a limit.', access: policy.showLimit, target,
  handle: async (_ctx, { target, urls }) => ({ limit: limitView(target, urls.api) }),
})

const keyOf = (s: limits.Subject): string => JSON.stringify([s.serviceId, s.regionId, s.resourceName])

/** Whether the limits as they will stand suit the model. */
async function checkModel(tx: IdentityTx, model: Deps['config']['enforcementModel'], changed: LimitRow[], registered: Map<string, RegisteredLimitRow>): Promise<void> {
  if (model === 'flat') return
  const ids = new Set(changed.map((l) => l.id))
  const all = [...changed, ...(await limits.ofRegistered(tx, [...new Set(changed.map((l) => l.registeredLimitId))])).filter((l) => !ids.has(l.id))]
  const parents = new Map((await projects.parentsOf(tx, all.map((l) => l.projectId).filter((id) => id !== ''))).map((p) => [p.id, p.parentId ?? undefined]))
  checkTree(changed, all, registered, (id) => parents.get(id))
}

export const createLimits = operation({
  name: 'createLimits', method: 'POST', path: '/limits', summary: 'Give projects or domains limits of their own, all of them or none.', status: 201, access: policy.changeLimit,
  body: exact({ limits: Type.Array(exact({
    ...subjectFields, project_id: Type.Optional(nullable(field.id)), domain_id: Type.Optional(nullable(field.id)),
    resource_limit: amount, description: Type.Optional(field.description),
  }), { minItems: 1, maxItems: maxAtOnce }) }),
  faults: ['conflict'],
  async handle(_ctx, { body, urls }, { store, config }) {
    const asked = body.limits.map((l) => ({ ...l, serviceId: l.service_id, regionId: l.region_id ?? '', resourceName: l.resource_name }))
    for (const l of asked) if (!l.project_id === !l.domain_id) throw badRequest('Invalid input for field/attribute limits: each limit is of either a project_id or a domain_id.')
    const rows = await store.tx(async (tx): Promise<limits.Limit[]> => {
      await checkSubjects(tx, asked, 'limit')
      const owners = new Map((await projects.parentsOf(tx, asked.map((l) => (l.project_id ?? l.domain_id)!))).map((p) => [p.id, p]))
      const found = await limits.registeredOf(tx, [...new Set(asked.map((l) => l.serviceId))])
      const bySubject = new Map(found.map((r) => [keyOf(r), r]))
      const rows = asked.map((l): limits.Limit => {
        const owner = owners.get((l.project_id ?? l.domain_id)!)
        if (l.project_id ? !owner : !owner?.isDomain) throw expecting(l.project_id ? 'project_id' : 'domain_id', 'limit')
        const registered = bySubject.get(keyOf(l))
        if (!registered) throw forbidden('Unable to create a limit that has no corresponding registered limit.')
        return {
          id: newHexId(), registeredLimitId: registered.id, projectId: owner!.isDomain ? '' : owner!.id,
          domainId: owner!.isDomain ? owner!.id : '', resourceLimit: l.resource_limit, description: l.description ?? null,
          serviceId: l.serviceId, regionId: l.regionId, resourceName: l.resourceName,
        }
      })
      await limits.lock(tx, rows.map((r) => r.registeredLimitId))
      await checkModel(tx, config.enforcementModel, rows, new Map(found.map((r) => [r.id, r])))
      await limits.add(tx, rows.map(({ serviceId: _s, regionId: _r, resourceName: _n, ...row }) => row))
      return rows
    })
    return { limits: rows.map((row) => limitView(row, urls.api)) }
  },
})

export const updateLimit = operation({
  name: 'updateLimit', method: 'PATCH', path: '/limits/{limit_id}', summary: 'Change how much a limit allows.', access: policy.changeLimit, target,
  body: exact({ limit: exact({ resource_limit: Type.Optional(amount), description: Type.Optional(field.description) }) }),
  async handle(_ctx, { target, body: { limit: asked }, urls }, { store, config }) {
    const row = await store.tx(async (tx) => {
      await limits.lock(tx, [target.registeredLimitId])
      const current = await limits.find(tx, target.id)
      if (!current) throw missing('limit', target.id)
      const next = {
        ...current, resourceLimit: asked.resource_limit ?? current.resourceLimit,
        description: asked.description === undefined ? current.description : asked.description,
      }
      await checkModel(tx, config.enforcementModel, [next], new Map([[current.registeredLimitId, (await limits.findRegistered(tx, current.registeredLimitId))!]]))
      await limits.save(tx, target.id, { resourceLimit: next.resourceLimit, description: next.description })
      return next
    })
    return { limit: limitView(row, urls.api) }
  },
})

export const deleteLimit = operation({
  name: 'deleteLimit', method: 'DELETE', path: '/limits/{limit_id}', summary: 'Take a limit away: the registered one holds again.', access: policy.changeLimit, target,
  async handle(_ctx, { target }, { store }) { await store.tx((tx) => limits.remove(tx, target.id)) },
})

export const limitsOf = operation({
  name: 'limitsOf', method: 'GET', path: '/internal/projects/{project_id}/limits/{service_type}',
  summary: 'What a project may have of a service\'s resources, by resource name; what nobody registered is not there.',
  access: service, internal: true, query: listQuery({ region_id: Type.Optional(Type.String()) }),
  async handle(_ctx, { params, query }, { store }) {
    return { limits: Object.fromEntries(await store.read((tx) => limits.effective(tx, params.project_id!, params.service_type!, query.region_id))) }
  },
})

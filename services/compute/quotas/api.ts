// https://docs.openstack.org/api-ref/compute/#quota-sets-os-quota-sets
import { badRequest, notFound } from '#base/errors.ts'
import { exact, exactSince, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { asNumber, boolean, isTrue } from '../fields.ts'
import { authenticated } from '../policy.ts'
import { limitFields, pick, shownAt } from './fields.ts'
import * as policy from './policy.ts'
import * as quotas from './store.ts'

/** Quotas of whom: any project id will do, whether it exists is identity's business. */
const target = {
  load: async (_ctx: unknown, params: Record<string, string>) => ({ projectId: params.tenant_id! }),
  sees: authenticated,
  missing: () => notFound('The resource could not be found.'),
}
const query = exactSince('2.75', { user_id: Type.Optional(Type.String()) })

export const showQuota = operation({
  name: 'showQuota', method: 'GET', path: '/os-quota-sets/{tenant_id}', summary: 'Show a project\'s quotas.', access: policy.show, target, query,
  handle: async (_ctx, { target, query, version }, { store }) => ({ quota_set: { id: target.projectId, ...pick(await store.read((tx) => quotas.limitsOf(tx, target.projectId, query.user_id)), version) } }),
})

export const showQuotaDetail = operation({
  name: 'showQuotaDetail', method: 'GET', path: '/os-quota-sets/{tenant_id}/detail', summary: 'Show a project\'s quotas and what is used.', access: policy.show, target, query,
  async handle(_ctx, { target, query, version }, { store }) {
    const [limits, used] = await store.read(async (tx) => [await quotas.limitsOf(tx, target.projectId, query.user_id), await quotas.used(tx, target.projectId, query.user_id)] as const)
    return { quota_set: { id: target.projectId, ...Object.fromEntries(shownAt(version).map((r) => [r, { in_use: used[r], limit: limits[r], reserved: 0 }])) } }
  },
})

export const showQuotaDefaults = operation({
  name: 'showQuotaDefaults', method: 'GET', path: '/os-quota-sets/{tenant_id}/defaults', summary: 'Show the quotas of projects for which none were set.', access: policy.showDefaults, target,
  handle: async (_ctx, { target, version }, { store }) => ({ quota_set: { id: target.projectId, ...pick(await store.read((tx) => quotas.defaults(tx)), version) } }),
})

export const updateQuota = operation({
  name: 'updateQuota', method: 'PUT', path: '/os-quota-sets/{tenant_id}', summary: 'Set a project\'s quotas, or a user\'s in it.', access: policy.change, target, query,
  body: exact({ quota_set: exact({ ...limitFields, force: Type.Optional(boolean) }) }),
  async handle(_ctx, { target: { projectId }, query, body: { quota_set: { force, ...given } }, version }, { store }) {
    const userId = query.user_id ?? ''
    const limits = Object.fromEntries(Object.entries(given).map(([resource, value]) => [resource, asNumber(resource, value!, -1)])) as Partial<quotas.Limits>
    return { quota_set: pick(await store.tx(async (tx) => {
      if (!isTrue(force)) {
        const used = await quotas.used(tx, projectId, userId), ofProject = userId === '' ? undefined : await quotas.limitsOf(tx, projectId)
        for (const [resource, limit] of Object.entries(limits) as [quotas.Resource, number][]) {
          if (limit >= 0 && limit < used[resource]) throw badRequest(`Quota limit ${limit} for ${resource} must be greater than or equal to already used and reserved ${used[resource]}.`)
          if (ofProject && ofProject[resource] >= 0 && (limit < 0 || limit > ofProject[resource])) throw badRequest(`Quota limit ${limit} for ${resource} must be less than or equal to ${ofProject[resource]}.`)
        }
      }
      await quotas.setLimits(tx, projectId, userId, limits)
      return quotas.limitsOf(tx, projectId, userId)
    }), version) }
  },
})

export const deleteQuota = operation({
  name: 'deleteQuota', method: 'DELETE', path: '/os-quota-sets/{tenant_id}', summary: 'Give a project, or a user in it, the default quotas again.', access: policy.change, target, query, status: 202,
  handle: (_ctx, { target, query }, { store }) => store.tx((tx) => quotas.clearLimits(tx, target.projectId, query.user_id)),
})

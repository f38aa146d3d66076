// https://docs.openstack.org/api-ref/network/v2/#quotas-extension-quotas
import { notFound } from '#base/errors.ts'
import { Type } from '#kit/http/schema.ts'
import { operation, quotaResources, type QuotaResource } from '../deps.ts'
import { malformed } from '../faults.ts'
import * as policy from '../policy.ts'
import { racing } from '../resource/race.ts'
import { integer } from '../resource/kinds.ts'
import * as quotas from './store.ts'

const limit = integer(-1, 2_147_483_647)
/** A project is not looked up: any id has quotas, as in neutron. */
const target = {
  load: async (_ctx: unknown, params: Record<string, string>) => ({ projectId: params.project_id! }),
  sees: policy.anyReader, missing: (params: Record<string, string>) => notFound(`Quota for tenant ${params.project_id} could not be found.`, { type: 'TenantQuotaNotFound' }),
}
const whose = (projectId: string, limits: quotas.Limits): object => ({ ...limits, project_id: projectId, tenant_id: projectId })

export const listQuotas = operation({
  name: 'listQuotas', method: 'GET', path: '/quotas', summary: 'List projects with limits of their own.', access: policy.admin,
  handle: async (_ctx, _input, { store, config }) => ({ quotas: [...await store.read((tx) => quotas.own(tx, config))].map(([projectId, limits]) => whose(projectId, limits)) }),
})
export const showQuotas = operation({
  name: 'showQuotas', method: 'GET', path: '/quotas/{project_id}', summary: "Show a project's limits.", access: policy.read, target,
  handle: async (_ctx, { target }, { store, config }) => ({ quota: await store.read((tx) => quotas.limitsOf(tx, config, target.projectId)) }),
})
export const showDefaultQuotas = operation({
  name: 'showDefaultQuotas', method: 'GET', path: '/quotas/{project_id}/default', summary: 'Show the limits of projects without limits of their own.', access: policy.read, target,
  handle: async (_ctx, _input, { config }) => ({ quota: config.quotas }),
})
export const showQuotaDetails = operation({
  name: 'showQuotaDetails', method: 'GET', path: '/quotas/{project_id}/details', summary: "Show a project's limits and what it uses of them.", access: policy.read, target,
  async handle(_ctx, { target }, { store, config }) {
    const { limits, used } = await store.read(async (tx) => ({ limits: await quotas.limitsOf(tx, config, target.projectId), used: await quotas.used(tx, target.projectId) }))
    return { quota: Object.fromEntries(quotaResources.map((resource) => [resource, { limit: limits[resource], used: used[resource], reserved: 0 }])) }
  },
})

/** The reference writes the path with a suffix, openstacksdk without. */
export const showQuotaDetailsJson = { ...showQuotaDetails, name: 'showQuotaDetailsJson', path: '/quotas/{project_id}/details.json' }

export const updateQuotas = operation({
  name: 'updateQuotas', method: 'PUT', path: '/quotas/{project_id}', summary: "Set a project's limits.", access: policy.admin, target,
  body: Type.Object({ quota: Type.Object({
    ...Object.fromEntries(quotaResources.map((resource) => [resource, Type.Optional(limit.schema)])),
    check_limit: Type.Optional(Type.Boolean()), force: Type.Optional(Type.Boolean()), tenant_id: Type.Optional(Type.String()), project_id: Type.Optional(Type.String()),
  }, { additionalProperties: false }) }, { additionalProperties: false }),
  faults: ['conflict'],
  async handle(_ctx, { body, target }, deps) {
    const asked = (body as { quota: Record<string, unknown> }).quota
    const limits: Partial<quotas.Limits> = {}
    for (const resource of quotaResources) if (asked[resource] !== undefined) limits[resource] = limit.convert!(asked[resource])
    return racing(deps, async (tx) => {
      if (asked.check_limit === true) await refuseBelowUse(await quotas.used(tx, target.projectId), limits)
      await quotas.set(tx, target.projectId, limits)
      return { quota: await quotas.limitsOf(tx, deps.config, target.projectId) }
    })
  },
})

function refuseBelowUse(used: quotas.Limits, limits: Partial<quotas.Limits>): void {
  const below = Object.entries(limits).filter(([resource, amount]) => amount >= 0 && used[resource as QuotaResource] > amount).map(([resource]) => resource)
  if (below.length > 0) throw malformed(`Quota limit is lower than what is in use for resources: ${below.join(', ')}.`)
}

export const deleteQuotas = operation({
  name: 'deleteQuotas', method: 'DELETE', path: '/quotas/{project_id}', summary: 'Give a project the default limits again.', access: policy.admin, target, status: 204,
  async handle(_ctx, { target }, { store }) {
    if (!await store.tx((tx) => quotas.reset(tx, target.projectId))) throw noOwnLimits(target.projectId)
  },
})
const noOwnLimits = (projectId: string): Error => target.missing({ project_id: projectId })

// https://docs.openstack.org/api-ref/placement/#usages and #resource-provider-usages
import { notFound } from '#base/errors.ts'
import type { TargetSpec } from '#kit/http/operation.ts'
import { exact, since, Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import * as inventories from '../inventories/store.ts'
import * as policy from '../policy.ts'
import { target } from '../providers/target.ts'
import { dated } from '../replies.ts'
import { byTypeAndClass, consumersByType, type Usage } from './store.ts'

export const showUsages = operation({
  name: 'showProviderUsages', method: 'GET', path: '/resource_providers/{uuid}/usages', summary: 'What of a provider is in use.', access: policy.adminOrService, target,
  async handle(_ctx, { target, version }, { store }) {
    const rows = await store.read((tx) => inventories.ofProvider(tx, target.id))
    return dated(version, { resource_provider_generation: target.generation, usages: Object.fromEntries(rows.map((r) => [r.resourceClass, r.used])) })
  },
})

const owner = Type.String({ minLength: 1, maxLength: 255 })
/** The project that is asked for: whoever may not is told so, whether or not it uses anything. */
const project: TargetSpec<Deps, { projectId: string }> = {
  load: async (_ctx, _params, _deps, { query }) => ({ projectId: (query as { project_id: string }).project_id }),
  sees: authenticated, missing: () => notFound('There is no such project.'),
}
const sums = (rows: Usage[]): Record<string, number> => {
  const out: Record<string, number> = {}
  for (const { resourceClass, used } of rows) out[resourceClass] = (out[resourceClass] ?? 0) + used
  return out
}

export const listUsages = operation({
  name: 'listUsages', method: 'GET', path: '/usages', summary: 'What a project, or a user in it, takes in all.', access: policy.usages, target: project, since: '1.9',
  query: exact({
    project_id: owner, user_id: Type.Optional(owner),
    consumer_type: since('1.38', Type.Optional(Type.String({ pattern: '^([A-Z0-9_]+|all|unknown)$', minLength: 1, maxLength: 255 }))),
  }),
  async handle(_ctx, { query, version }, { store }) {
    const type = query.consumer_type, typed = version.since('1.38')
    const filter = { projectId: query.project_id, userId: query.user_id, consumerType: type === 'all' ? undefined : type }
    const { rows, counts } = await store.read(async (tx) => ({
      rows: await byTypeAndClass(tx, filter),
      counts: typed ? await consumersByType(tx, filter) : new Map<string | null, number>(),
    }))
    if (!typed) return dated(version, { usages: sums(rows) })
    const groups = type === 'all' && rows.length > 0
      ? [['all', { ...sums(rows), consumer_count: [...counts.values()].reduce((a, b) => a + b, 0) }]]
      : [...Map.groupBy(rows, (r) => r.consumerType)].map(([name, of]) => [name ?? 'unknown', { ...sums(of), consumer_count: counts.get(name) ?? 0 }])
    return dated(version, { usages: Object.fromEntries(groups) })
  },
})

// https://docs.openstack.org/api-ref/image/v2/#quota-usage
import { operation } from '../deps.ts'
import * as policy from '../images/policy.ts'
import { limitsOf } from './limits.ts'
import { quotaNames, usage } from './store.ts'

export const showUsage = operation({
  name: 'showUsage', method: 'GET', path: '/info/usage', summary: 'What one\'s project uses of its quotas; -1 is no limit.',
  access: policy.listImages,
  async handle(ctx, _input, deps) {
    const { projectId = null } = ctx.actor
    const limits = await limitsOf(ctx, deps, projectId), used = await deps.store.read((tx) => usage(tx, projectId ?? ''))
    return { usage: Object.fromEntries(quotaNames.map((name) => [name, { usage: used[name], limit: limits[name] ?? -1 }])) }
  },
})

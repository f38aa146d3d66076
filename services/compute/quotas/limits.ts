// https://docs.openstack.org/api-ref/compute/#limits-limits
import { forbidden } from '#base/errors.ts'
import { exactSince, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import * as policy from './policy.ts'
import { shownAt } from './fields.ts'
import * as quotas from './store.ts'

const names: Partial<Record<quotas.Resource, { limits: string[], used?: string }>> = {
  instances: { limits: ['maxTotalInstances'], used: 'totalInstancesUsed' }, cores: { limits: ['maxTotalCores'], used: 'totalCoresUsed' }, ram: { limits: ['maxTotalRAMSize'], used: 'totalRAMUsed' },
  key_pairs: { limits: ['maxTotalKeypairs'] }, metadata_items: { limits: ['maxServerMeta', 'maxImageMeta'] },
  floating_ips: { limits: ['maxTotalFloatingIps'], used: 'totalFloatingIpsUsed' }, security_groups: { limits: ['maxSecurityGroups'], used: 'totalSecurityGroupsUsed' }, security_group_rules: { limits: ['maxSecurityGroupRules'] },
  injected_files: { limits: ['maxPersonality'] }, injected_file_content_bytes: { limits: ['maxPersonalitySize'] },
  server_groups: { limits: ['maxServerGroups'], used: 'totalServerGroupsUsed' }, server_group_members: { limits: ['maxServerGroupMembers'] },
}

export const showLimits = operation({
  name: 'showLimits', method: 'GET', path: '/limits', summary: 'Show the limits of the caller\'s project and what is used of them.', access: policy.limits,
  query: exactSince('2.75', { tenant_id: Type.Optional(Type.String()), reserved: Type.Optional(Type.String()) }),
  async handle(ctx, { query, version }, { store }) {
    const projectId = query.tenant_id ?? ctx.actor.projectId ?? ''
    if (projectId !== ctx.actor.projectId && query.tenant_id !== undefined && !policy.showOthersLimits.allows(ctx.actor)) throw forbidden('Policy doesn\'t allow os_compute_api:limits:other_project to be performed.')
    const [limits, used] = await store.read(async (tx) => [await quotas.limitsOf(tx, projectId), await quotas.used(tx, projectId)] as const)
    const absolute: Record<string, number> = {}
    for (const resource of shownAt(version)) {
      const named = names[resource]
      for (const name of named?.limits ?? []) if (name !== 'maxImageMeta' || !version.since('2.39')) absolute[name] = limits[resource]
      if (named?.used) absolute[named.used] = used[resource]
    }
    return { limits: { rate: [], absolute } }
  },
})

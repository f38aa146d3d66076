// https://docs.openstack.org/api-ref/network/v2/#security-group-rules-security-group-rules
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { groupNotFound, ruleExists } from '../faults.ts'
import * as policy from '../policy.ts'
import { creating, deleting, listing, showing } from '../resource/operations.ts'
import { claim, touch } from '../resource/store.ts'
import type { RuleRow } from '../schema.ts'
import { fingerprint } from '../security-groups/default.ts'
import { securityGroup } from '../security-groups/noun.ts'
import * as groups from '../security-groups/store.ts'
import { wakeRules } from '../wanted/wake.ts'
import { ruleOf } from './check.ts'
import { securityGroupRule } from './noun.ts'

// The project's default group brings its rules along.
export const listSecurityGroupRules = listing({ ...securityGroupRule, beforeList: securityGroup.beforeList })
export const showSecurityGroupRule = showing(securityGroupRule)

export const createSecurityGroupRule = creating(securityGroupRule, {
  claimsItself: true,
  async make(tx, ctx, deps, values, _projectId) {
    const group = await groups.find(tx, values.security_group_id!)
    if (!group || !policy.read.allows(ctx.actor, group)) throw groupNotFound(values.security_group_id!)
    const parts = ruleOf(values)
    if (parts.remoteGroupId !== null) {
      const remote = await groups.find(tx, parts.remoteGroupId)
      if (!remote || !policy.read.allows(ctx.actor, remote)) throw groupNotFound(parts.remoteGroupId)
    }
    const at = now()
    // A rule belongs to whom its group belongs, and counts there.
    const row: RuleRow = {
      id: newId(), projectId: group.projectId, description: values.description ?? '', revision: 0, createdAt: at, updatedAt: at, groupId: group.id, ...parts, fingerprint: fingerprint(parts),
    }
    const same = await groups.sameRule(tx, group.id, row.fingerprint)
    if (same) throw ruleExists(same.id)
    await claim(tx, deps, group.projectId, 'security_group_rule')
    await groups.addRules(tx, [row])
    await touch(tx, 'networkGroups', group)
    await wakeRules(tx, ctx, deps, [group.id], row.remoteGroupId === null ? [] : [row.remoteGroupId])
    return row
  },
})

export const deleteSecurityGroupRule = deleting(securityGroupRule, async (tx, ctx, deps, row) => {
  await groups.removeRule(tx, row.id)
  const group = await groups.find(tx, row.groupId)
  if (group) await touch(tx, 'networkGroups', group)
  await wakeRules(tx, ctx, deps, [row.groupId], row.remoteGroupId === null ? [] : [row.remoteGroupId])
})

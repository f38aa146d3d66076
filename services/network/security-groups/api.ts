// https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { defaultGroupKeepsName, defaultGroupStands, defaultGroupStays, groupInUse } from '../faults.ts'
import * as policy from '../policy.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend, claim, forget, release } from '../resource/store.ts'
import type { GroupRow } from '../schema.ts'
import { wakeRules } from '../wanted/wake.ts'
import { ensureDefaultGroup, firstRules } from './default.ts'
import { securityGroup } from './noun.ts'
import * as groups from './store.ts'

export const listSecurityGroups = listing(securityGroup)
export const showSecurityGroup = showing(securityGroup)

export const createSecurityGroup = creating(securityGroup, {
  async make(tx, _ctx, deps, values, projectId) {
    if (values.name === 'default') throw defaultGroupStands()
    await ensureDefaultGroup(tx, projectId)
    const at = now()
    const row: GroupRow = { id: newId(), projectId, name: values.name ?? '', description: values.description ?? '', revision: 1, createdAt: at, updatedAt: at, defaultFor: null }
    await groups.add(tx, row)
    const rules = firstRules(row, false)
    await groups.addRules(tx, rules)
    for (const _rule of rules) await claim(tx, deps, projectId, 'security_group_rule')
    return row
  },
})

export const updateSecurityGroup = updating(securityGroup, async (tx, _ctx, _deps, row, values) => {
  if (row.defaultFor !== null && values.name !== undefined && values.name !== row.name) throw defaultGroupKeepsName()
  if (row.defaultFor === null && values.name === 'default') throw defaultGroupStands()
  return amend(tx, 'networkGroups', row, { ...(values.name !== undefined && { name: values.name }), ...(values.description !== undefined && { description: values.description }) })
})

export const deleteSecurityGroup = deleting(securityGroup, async (tx, ctx, deps, row) => {
  if (row.defaultFor !== null && !policy.isAdmin(ctx.actor)) throw defaultGroupStays()
  if (await groups.portIn(tx, row.id)) throw groupInUse(row.id)
  // Rules elsewhere that name this group go with it: their members' filters change.
  const about = await groups.rulesAbout(tx, row.id)
  await wakeRules(tx, ctx, deps, [...new Set(about.filter((r) => r.groupId !== row.id).map((r) => r.groupId))], [row.id])
  await groups.remove(tx, row.id)
  for (const rule of about) await release(tx, rule.projectId, 'security_group_rule')
  await forget(tx, undefined, row.id)
})

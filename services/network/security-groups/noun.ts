// A security group: what may pass to and from the ports that carry it.
import * as policy from '../policy.ts'
import type { Deps } from '../deps.ts'
import { groupNotFound } from '../faults.ts'
import { racing } from '../resource/race.ts'
import { standardAttributes, tagAttributes, type Noun } from '../resource/noun.ts'
import { ownedBy } from '../resource/store.ts'
import type { GroupRow } from '../schema.ts'
import { ensureDefaultGroup } from './default.ts'
import * as groups from './store.ts'
import { groupViews } from './view.ts'

export const attributes = { ...standardAttributes, ...tagAttributes } as const

export const securityGroup: Noun<GroupRow, typeof attributes> = {
  one: 'security_group', many: 'security_groups', path: '/security-groups', title: 'SecurityGroup', titles: 'SecurityGroups', table: 'networkGroups',
  attributes, filters: groups.filters, visible: ownedBy, reads: policy.read, changes: policy.change, missing: groupNotFound, quota: 'security_group', view: groupViews,
  async find(tx, id) {
    const row = await groups.find(tx, id)
    return row && { row, owner: { projectId: row.projectId } }
  },
  // A project that looks at its groups always finds its default one.
  async beforeList({ actor }, deps: Deps) {
    const { projectId } = actor
    if (projectId === undefined || await deps.store.read((tx) => groups.defaultOf(tx, projectId))) return
    await racing(deps, (tx) => ensureDefaultGroup(tx, projectId))
  },
}

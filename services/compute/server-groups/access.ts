import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const body = (w: AccessWorld): object => ({ server_group: { name: w.unique('group'), policy: 'anti-affinity' } })
const on = async (w: AccessWorld): Promise<{ params: { server_group_id: string } }> => {
  await w.call('admin', 'compute', 'updateQuota', { params: { tenant_id: w.projectId }, body: { quota_set: { server_groups: -1, force: true } } })
  return { params: { server_group_id: (await w.call('member', 'compute', 'createServerGroup', { body: body(w) })).body.server_group.id } }
}

export const access: AccessCase[] = [
  { operation: 'listServerGroups', expect: verdicts.listing() },
  { operation: 'createServerGroup', request: (w) => ({ body: body(w) }), expect: verdicts.creating(200) },
  { operation: 'showServerGroup', request: on, expect: verdicts.reader() },
  { operation: 'deleteServerGroup', request: on, expect: verdicts.member(204) },
]

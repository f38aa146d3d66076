import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { freshUser } from '../users/access.ts'
import { verdicts } from '../testing/verdicts.ts'

export const freshGroup = async (w: AccessWorld): Promise<string> =>
  (await w.call('admin', 'identity', 'createGroup', { body: { group: { name: w.unique('group') } } })).body.group.id
const aGroup = async (w: AccessWorld) => ({ params: { group_id: await freshGroup(w) } })
const pair = async (w: AccessWorld) => ({ params: { group_id: await freshGroup(w), user_id: (await freshUser(w)).id } })
const joined = async (w: AccessWorld) => { const call = await pair(w); await w.call('admin', 'identity', 'addGroupUser', call); return call }

export const access: AccessCase[] = [
  { operation: 'listGroups', expect: verdicts.domainListing() },
  { operation: 'showGroup', request: aGroup, expect: verdicts.domainReader() },
  { operation: 'createGroup', request: (w) => ({ body: { group: { name: w.unique('group') } } }), expect: verdicts.domainCreating(201) },
  { operation: 'createGroup', about: 'in another domain', request: (w) => ({ body: { group: { name: w.unique('group'), domain_id: w.otherDomainId } } }),
    expect: { ...verdicts.domainCreating(201), domainManager: 403 } },
  { operation: 'updateGroup', request: async (w) => ({ ...await aGroup(w), body: { group: { description: 'x' } } }), expect: verdicts.domainManager() },
  { operation: 'deleteGroup', request: aGroup, expect: verdicts.domainManager(204) },
  { operation: 'listGroupUsers', request: aGroup, expect: verdicts.domainReader() },
  { operation: 'addGroupUser', request: pair, expect: verdicts.domainManager(204) },
  { operation: 'checkGroupUser', request: joined, expect: verdicts.domainReader(204) },
  { operation: 'removeGroupUser', request: joined, expect: verdicts.domainManager(204) },
]

import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aGroup } from '../testing/fixtures.ts'

export const access: AccessCase[] = [
  { operation: 'listSecurityGroups', expect: verdicts.listing() },
  { operation: 'showSecurityGroup', request: async (w) => ({ params: { security_group_id: (await aGroup(w)).id } }), expect: verdicts.reader() },
  { operation: 'createSecurityGroup', request: (w) => ({ body: { security_group: { name: w.unique('group') } } }), expect: verdicts.creating(201) },
  { operation: 'updateSecurityGroup', request: async (w) => ({ params: { security_group_id: (await aGroup(w)).id }, body: { security_group: { name: w.unique('group') } } }), expect: verdicts.member(200) },
  { operation: 'deleteSecurityGroup', request: async (w) => ({ params: { security_group_id: (await aGroup(w)).id } }), expect: verdicts.member(204) },
]

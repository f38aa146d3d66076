import type { AccessCase, AccessWorld, Verdict } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

/** A user nobody knows. */
export const freshUser = async (w: AccessWorld): Promise<{ id: string, password: string }> => {
  const password = w.unique('secret')
  return { id: (await w.call('admin', 'identity', 'createUser', { body: { user: { name: w.unique('user'), password } } })).body.user.id, password }
}
const aUser = async (w: AccessWorld) => ({ params: { user_id: (await freshUser(w)).id } })
const stranger = (ok: number): Verdict => ({ nobody: 401, reader: 404, member: 404, manager: 404, admin: ok, other: 404, ...scoped.domainReader(ok) })
const own = (ok: number): Verdict => ({ nobody: 401, reader: 404, member: ok, manager: 404, admin: ok, other: 404, ...scoped.domainReader(ok) })
const member = (w: AccessWorld) => ({ params: { user_id: w.userId('member') } })

export const access: AccessCase[] = [
  { operation: 'listUsers', expect: verdicts.domainListing() },
  { operation: 'showUser', request: aUser, expect: stranger(200) },
  { operation: 'showUser', about: 'oneself', request: member, expect: own(200) },
  { operation: 'createUser', request: (w) => ({ body: { user: { name: w.unique('user') } } }), expect: verdicts.domainCreating(201) },
  { operation: 'createUser', about: 'in another domain', request: (w) => ({ body: { user: { name: w.unique('user'), domain_id: w.otherDomainId } } }),
    expect: { ...verdicts.domainCreating(201), domainManager: 403 } },
  { operation: 'updateUser', request: async (w) => ({ ...await aUser(w), body: { user: { description: 'x' } } }), expect: verdicts.domainManager() },
  { operation: 'updateUser', about: 'oneself', request: (w) => ({ ...member(w), body: { user: { description: 'x' } } }), expect: verdicts.domainManager() },
  { operation: 'deleteUser', request: aUser, expect: verdicts.domainManager(204) },
  {
    operation: 'changePassword', about: 'knowing the old one', expect: verdicts.everybody(204),
    async request(w) {
      const { id, password } = await freshUser(w)
      return { params: { user_id: id }, body: { user: { original_password: password, password: `${password}-2` } } }
    },
  },
  { operation: 'listUserProjects', request: aUser, expect: stranger(200) },
  { operation: 'listUserProjects', about: 'one\'s own', request: member, expect: own(200) },
  { operation: 'listUserGroups', request: aUser, expect: stranger(200) },
  { operation: 'listUserGroups', about: 'one\'s own', request: member, expect: own(200) },
]

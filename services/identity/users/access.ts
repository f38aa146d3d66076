import { verdicts, type AccessCase, type AccessWorld, type Persona } from '#kit/testing/access.ts'

/** A user nobody knows. */
export const freshUser = async (w: AccessWorld): Promise<{ id: string, password: string }> => {
  const password = w.unique('secret')
  return { id: (await w.call('admin', 'identity', 'createUser', { body: { user: { name: w.unique('user'), password } } })).body.user.id, password }
}
const aUser = async (w: AccessWorld) => ({ params: { user_id: (await freshUser(w)).id } })
const stranger = (ok: number): Record<Persona, number> => ({ nobody: 401, reader: 404, member: 404, manager: 404, admin: ok, other: 404 })
const own = (ok: number): Record<Persona, number> => ({ nobody: 401, reader: 404, member: ok, manager: 404, admin: ok, other: 404 })
const member = (w: AccessWorld) => ({ params: { user_id: w.userId('member') } })

export const access: AccessCase[] = [
  { operation: 'listUsers', expect: verdicts.admin() },
  { operation: 'showUser', request: aUser, expect: stranger(200) },
  { operation: 'showUser', about: 'oneself', request: member, expect: own(200) },
  { operation: 'createUser', request: (w) => ({ body: { user: { name: w.unique('user') } } }), expect: verdicts.admin(201) },
  { operation: 'updateUser', request: async (w) => ({ ...await aUser(w), body: { user: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'updateUser', about: 'oneself', request: (w) => ({ ...member(w), body: { user: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteUser', request: aUser, expect: verdicts.admin(204) },
  {
    operation: 'changePassword', about: 'knowing the old one', expect: verdicts.everybody(204),
    request: async (w) => { const { id, password } = await freshUser(w); return { params: { user_id: id }, body: { user: { original_password: password, password: `${password}-2` } } } },
  },
  { operation: 'listUserProjects', request: aUser, expect: stranger(200) },
  { operation: 'listUserProjects', about: 'one\'s own', request: member, expect: own(200) },
  { operation: 'listUserGroups', request: aUser, expect: stranger(200) },
  { operation: 'listUserGroups', about: 'one\'s own', request: member, expect: own(200) },
]

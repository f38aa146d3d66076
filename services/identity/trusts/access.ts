import type { AccessCase, AccessWorld, Verdict } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

const body = async (w: AccessWorld) => {
  const { roles } = (await w.call('admin', 'identity', 'listRoles', { query: { name: 'member' } })).body
  return { trust: { trustor_user_id: w.userId('member'), trustee_user_id: w.userId('other'), project_id: w.projectId, impersonation: false, roles: [{ id: roles[0].id }] } }
}
const made = async (w: AccessWorld) => {
  const { trust } = (await w.call('member', 'identity', 'createTrust', { body: await body(w) })).body
  return { params: { trust_id: String(trust.id), role_id: String(trust.roles[0].id) } }
}
/** The member lends, the other is lent to; for others there is no such trust. */
const concerned = (ok: number, other = ok): Verdict => ({ nobody: 401, reader: 404, member: ok, manager: 404, admin: ok, other, ...scoped.systemReader(ok) })

export const access: AccessCase[] = [
  { operation: 'createTrust', request: async (w) => ({ body: await body(w) }), expect: { ...verdicts.everybody(403), ...scoped.all(403), nobody: 401, member: 201 } },
  { operation: 'listTrusts', expect: verdicts.systemReader() },
  { operation: 'listTrusts', about: 'that one gave', request: (w) => ({ query: { trustor_user_id: w.userId('member') } }), expect: { ...verdicts.systemReader(), member: 200 } },
  { operation: 'listTrusts', about: 'that one was given', request: (w) => ({ query: { trustee_user_id: w.userId('other') } }), expect: { ...verdicts.systemReader(), other: 200 } },
  { operation: 'showTrust', request: made, expect: concerned(200) },
  { operation: 'listTrustRoles', request: made, expect: concerned(200) },
  { operation: 'showTrustRole', request: made, expect: concerned(200) },
  { operation: 'deleteTrust', request: made, expect: { ...concerned(204, 403), ...scoped.admin(204) } },
]

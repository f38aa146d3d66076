import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'

export const freshRole = async (w: AccessWorld): Promise<string> => (await w.call('admin', 'identity', 'createRole', { body: { role: { name: w.unique('role') } } })).body.role.id
const aRole = async (w: AccessWorld) => ({ params: { role_id: await freshRole(w) } })
const pair = async (w: AccessWorld) => ({ params: { prior_role_id: await freshRole(w), implies_role_id: await freshRole(w) } })
const implied = async (w: AccessWorld) => { const call = await pair(w); await w.call('admin', 'identity', 'createRoleInference', call); return call }

const handedOut = async (w: AccessWorld) => ({ params: { role_id: String((await w.call('admin', 'identity', 'listRoles', { query: { name: 'member' } })).body.roles[0].id) } })
/** Named like one that managers hand out. */
const ofDomain = async (w: AccessWorld) => {
  const { id: domain_id } = (await w.call('admin', 'identity', 'createDomain', { body: { domain: { name: w.unique('domain') } } })).body.domain
  return { params: { role_id: String((await w.call('admin', 'identity', 'createRole', { body: { role: { name: 'member', domain_id } } })).body.role.id) } }
}
const managers = (status: number) => ({ manager: status, domainManager: status, otherDomainManager: status })

export const access: AccessCase[] = [
  { operation: 'listRoles', expect: { ...verdicts.anySystemReader(), domainManager: 200, otherDomainManager: 200 } },
  { operation: 'listRoles', about: 'of a domain', request: (w) => ({ query: { domain_id: w.domainId } }), expect: verdicts.systemReader() },
  { operation: 'showRole', request: aRole, expect: { ...verdicts.anySystemReader(), ...managers(404) } },
  { operation: 'showRole', about: 'that managers hand out', request: handedOut, expect: { ...verdicts.anySystemReader(), ...managers(200) } },
  { operation: 'showRole', about: 'of a domain', request: ofDomain, expect: { ...verdicts.systemReader(), ...managers(404), domainAdmin: 404, otherDomainAdmin: 404 } },
  { operation: 'createRole', request: (w) => ({ body: { role: { name: w.unique('role') } } }), expect: verdicts.admin(201) },
  { operation: 'updateRole', request: async (w) => ({ ...await aRole(w), body: { role: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteRole', request: aRole, expect: verdicts.admin(204) },
  { operation: 'createRoleInference', request: pair, expect: verdicts.admin(201) },
  { operation: 'showRoleInference', request: implied, expect: verdicts.systemReader() },
  { operation: 'checkRoleInference', request: implied, expect: verdicts.systemReader(204) },
  { operation: 'deleteRoleInference', request: implied, expect: verdicts.admin(204) },
  { operation: 'listImpliedRoles', request: async (w) => ({ params: { prior_role_id: await freshRole(w) } }), expect: verdicts.systemReader() },
  { operation: 'listRoleInferences', expect: verdicts.systemReader() },
]

import type { AccessCase, AccessWorld, ScopedPersona, Verdict } from '#kit/testing/access.ts'
import { scoped } from '../testing/verdicts.ts'

const body = (w: AccessWorld) => ({ application_credential: { name: w.unique('credential') } })
const made = async (w: AccessWorld) => {
  const params = { user_id: w.userId('member') }
  const { application_credential: credential } = (await w.call('member', 'identity', 'createApplicationCredential', { params, body: body(w) })).body
  return { params: { ...params, application_credential_id: String(credential.id) } }
}
/** The member's own: for others he does not exist, administrators aside. */
const own = (member: number, admin: number, rest: Record<ScopedPersona, number>): Verdict => ({ nobody: 401, reader: 404, member, manager: 404, admin, other: 404, ...rest })

export const access: AccessCase[] = [
  { operation: 'createApplicationCredential', request: (w) => ({ params: { user_id: w.userId('member') }, body: body(w) }), expect: own(201, 403, scoped.all(403)) },
  { operation: 'listApplicationCredentials', request: (w) => ({ params: { user_id: w.userId('member') } }), expect: own(200, 200, scoped.systemReader(200)) },
  { operation: 'showApplicationCredential', request: made, expect: own(200, 200, scoped.systemReader(200)) },
  { operation: 'deleteApplicationCredential', request: made, expect: own(204, 204, scoped.admin(204)) },
]

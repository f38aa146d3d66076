import type { AccessCase, AccessWorld, Persona } from '#kit/testing/access.ts'

const body = (w: AccessWorld) => ({ application_credential: { name: w.unique('credential') } })
const made = async (w: AccessWorld) => ({ params: {
  user_id: w.userId('member'),
  application_credential_id: String((await w.call('member', 'identity', 'createApplicationCredential', { params: { user_id: w.userId('member') }, body: body(w) })).body.application_credential.id),
} })
/** The member's own: for others he does not exist, administrators aside. */
const own = (member: number, admin = member): Record<Persona, number> => ({ nobody: 401, reader: 404, member, manager: 404, admin, other: 404 })

export const access: AccessCase[] = [
  { operation: 'createApplicationCredential', request: (w) => ({ params: { user_id: w.userId('member') }, body: body(w) }), expect: own(201, 403) },
  { operation: 'listApplicationCredentials', request: (w) => ({ params: { user_id: w.userId('member') } }), expect: own(200) },
  { operation: 'showApplicationCredential', request: made, expect: own(200) },
  { operation: 'deleteApplicationCredential', request: made, expect: own(204) },
]

import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { freshUser } from '../users/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

const credentials = async (w: AccessWorld) => {
  const { id, password } = await freshUser(w)
  return { body: { auth: { identity: { methods: ['password'], password: { user: { id, password } } } } } }
}
/** Somebody else's token. */
const subject = async (w: AccessWorld) =>
  ({ headers: { 'x-subject-token': String((await w.call('admin', 'identity', 'issueToken', await credentials(w))).headers['x-subject-token']) } })

export const access: AccessCase[] = [
  { operation: 'issueToken', request: credentials, expect: verdicts.everybody(201) },
  { operation: 'validateToken', request: subject, expect: verdicts.anySystemReader() },
  { operation: 'revokeToken', request: subject, expect: verdicts.anyAdmin(204) },
  { operation: 'showOwnCatalog', expect: { ...verdicts.authenticated(), ...scoped.all(403) } },
  { operation: 'listOwnProjects', expect: verdicts.authenticated() },
  { operation: 'listOwnDomains', expect: verdicts.authenticated() },
  { operation: 'listOwnSystems', expect: verdicts.authenticated() },
  { operation: 'listRevocationEvents', expect: verdicts.admin() },
  ...['showCaCertificate', 'showSigningCertificate'].map((operation): AccessCase => ({ operation, expect: { ...verdicts.everybody(410), ...scoped.all(410) } })),
  { operation: 'showRevokedTokens', expect: { ...verdicts.everybody(403), ...scoped.all(403) } },
]

import type { AccessCase, AccessWorld, Verdict } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

const own = (member: number): Verdict => ({ ...verdicts.everybody(404), nobody: 401, member })
const user = (w: AccessWorld) => ({ params: { user_id: w.userId('member') } })
const ruleOf = (w: AccessWorld) => ({ service: 'compute', method: 'GET', path: `/v2.1/servers/${w.unique('server')}` })
const made = async (w: AccessWorld) => {
  const body = { application_credential: { name: w.unique('bound'), access_rules: [ruleOf(w)] } }
  const { application_credential } = (await w.call('member', 'identity', 'createApplicationCredential', { ...user(w), body })).body
  await w.call('member', 'identity', 'deleteApplicationCredential', { params: { user_id: w.userId('member'), application_credential_id: application_credential.id } })
  return { params: { user_id: w.userId('member'), access_rule_id: String(application_credential.access_rules[0].id) } }
}

export const access: AccessCase[] = [
  {
    operation: 'createApplicationCredential', about: 'with an access rule', expect: { ...own(201), admin: 403, ...scoped.all(403) },
    request: (w) => ({ ...user(w), body: { application_credential: { name: w.unique('bound'), access_rules: [ruleOf(w)] } } }),
  },
  { operation: 'listAccessRules', request: user, expect: { ...own(200), ...scoped.systemReader(200) } },
  { operation: 'showAccessRule', request: made, expect: { ...own(200), ...scoped.systemReader(200) } },
  { operation: 'deleteAccessRule', request: made, expect: { ...own(204), ...scoped.admin(204) } },
]

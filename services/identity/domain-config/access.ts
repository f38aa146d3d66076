import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { freshDomain } from '../domains/access.ts'
import { verdicts } from '../testing/verdicts.ts'

const config = { config: { identity: { list_limit: 5 } } }
const configured = (over: Record<string, string> = {}) => async (w: AccessWorld) => {
  const { params } = await freshDomain(w, true)
  await w.call('admin', 'identity', 'createDomainConfig', { params, body: config })
  return { params: { ...params, ...over } }
}
const whole = configured(), group = configured({ group: 'identity' })
const option = configured({ group: 'identity', option: 'list_limit' })

export const access: AccessCase[] = [
  { operation: 'createDomainConfig', request: async (w) => ({ ...await freshDomain(w, true), body: config }), expect: verdicts.admin(201) },
  ...([['', whole, config], ['Group', group, config], ['Option', option, { config: { list_limit: 6 } }]] as const).flatMap(([level, made, body]): AccessCase[] => [
    { operation: `showDomainConfig${level}`, request: made, expect: verdicts.systemReader() },
    { operation: `updateDomainConfig${level}`, request: async (w) => ({ ...await made(w), body }), expect: verdicts.admin() },
    { operation: `deleteDomainConfig${level}`, request: made, expect: verdicts.admin(204) },
    { operation: `showDomainConfigDefault${level}`, request: () => ({ params: { group: 'identity', option: 'driver' } }), expect: verdicts.systemReader() },
  ]),
  { operation: 'showSecurityCompliance', request: () => ({ params: { domain_id: 'default' } }), expect: verdicts.authenticated() },
  { operation: 'showSecurityComplianceOption', request: () => ({ params: { domain_id: 'default', option: 'password_regex' } }), expect: verdicts.authenticated() },
]

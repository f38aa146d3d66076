import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

export const freshDomain = async (w: AccessWorld, enabled: boolean) =>
  ({ params: { domain_id: String((await w.call('admin', 'identity', 'createDomain', { body: { domain: { name: w.unique('domain'), enabled } } })).body.domain.id) } })

export const access: AccessCase[] = [
  { operation: 'listDomains', expect: verdicts.domainListing() },
  { operation: 'showDomain', about: 'that of one\'s project', request: (w) => ({ params: { domain_id: w.domainId } }),
    expect: { ...verdicts.authenticated(), otherDomainManager: 404 } },
  { operation: 'showDomain', about: 'another', request: (w) => freshDomain(w, true),
    expect: { nobody: 401, reader: 404, member: 404, manager: 404, admin: 200, other: 404, ...scoped.anySystemReader(200, 404) } },
  { operation: 'createDomain', request: (w) => ({ body: { domain: { name: w.unique('domain') } } }), expect: verdicts.admin(201) },
  { operation: 'updateDomain', request: async (w) => ({ ...await freshDomain(w, true), body: { domain: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteDomain', request: (w) => freshDomain(w, false), expect: verdicts.admin(204) },
]

// The verdicts of keystone's default policies for its access cases, domain and system tokens included: one for each kind of rule in
// https://docs.openstack.org/keystone/latest/configuration/policy.html. Things stand in the domain of the personas (AccessWorld.domainId).
import { allScoped, verdicts as common, type ScopedPersona, type Verdict } from '#kit/testing/access.ts'

type Scoped = Partial<Record<ScopedPersona, number>>
/** `admin_required` where scope_types name the domain: an administrator of any domain passes. */
const anyAdmin = (ok: number): Scoped => ({ domainAdmin: ok, otherDomainAdmin: ok, systemAdmin: ok })
const others = (status: number): Record<ScopedPersona, number> => allScoped(status)

/** What scoped personas see, to be spread behind what the others see: `{ ...own(200), ...scoped.systemReader(200) }`. */
export const scoped = {
  /** rule:admin_required with scope_types system and project. */
  admin: (ok: number): Record<ScopedPersona, number> => ({ ...others(403), systemAdmin: ok }),
  /** rule:admin_required or system reader, scope_types system and project. */
  systemReader: (ok: number): Record<ScopedPersona, number> => ({ ...others(403), systemReader: ok, systemAdmin: ok }),
  /** rule:admin_required, all scope_types. */
  anyAdmin: (ok: number, no = 403): Record<ScopedPersona, number> => ({ ...others(no), ...anyAdmin(ok) }),
  /** rule:admin_required or system reader, all scope_types. */
  anySystemReader: (ok: number, no = 403): Record<ScopedPersona, number> => ({ ...others(no), ...anyAdmin(ok), systemReader: ok }),
  /** … or reader of the thing's domain; for managers of another domain it does not exist. */
  domainReader: (ok: number): Record<ScopedPersona, number> => ({ ...others(ok), otherDomainManager: 404 }),
  /** rule:admin_required or manager of the thing's domain. */
  domainManager: (ok: number): Record<ScopedPersona, number> => ({ ...others(403), ...anyAdmin(ok), domainManager: ok, otherDomainManager: 404 }),
  /** Managers create in the domain of their token. */
  domainCreating: (ok: number): Record<ScopedPersona, number> => ({ ...others(403), ...anyAdmin(ok), domainManager: ok, otherDomainManager: ok }),
  /** Every token will do. */
  all: (ok: number): Record<ScopedPersona, number> => others(ok),
}

/** The kit's by the names of keystone's rules: `verdicts.domainReader(200)` on its own, or spread and amended. */
const withScoped = (kind: keyof typeof scoped) => (ok = 200): Verdict => ({ ...common.admin(ok), ...scoped[kind](ok) })
export const verdicts = {
  admin: withScoped('admin'), systemReader: withScoped('systemReader'), anyAdmin: withScoped('anyAdmin'), anySystemReader: withScoped('anySystemReader'),
  domainReader: withScoped('domainReader'), domainManager: withScoped('domainManager'), domainCreating: withScoped('domainCreating'),
  /** Readers with a domain's token list what is in their domain. */
  domainListing: (ok = 200): Verdict => ({ ...common.admin(ok), ...others(ok) }),
  /** What everybody in the project, and readers of its domain, may see. */
  projectReader: (ok = 200): Verdict => ({ ...common.reader(ok), ...scoped.domainReader(ok) }),
  /** For Pileus's own services: users do not even learn that it is there. */
  internal: (): Verdict => ({ nobody: 401, reader: 404, member: 404, manager: 404, admin: 404, other: 404, ...others(404) }),
  authenticated: common.authenticated, everybody: common.everybody,
}

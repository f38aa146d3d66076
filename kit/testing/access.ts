// The access test is generated from the lists of operations: each is tried as every persona. What should happen lies beside the
// operation, in its noun's access.ts; an operation without it fails the test.
import type { Answer, Call } from '#kit/http/client.ts'

/** Those without a token and with a project's: the four roles on a project of their own; the member of another project. */
const projectPersonas = ['nobody', 'reader', 'member', 'manager', 'admin', 'other'] as const
export type Persona = (typeof projectPersonas)[number]
/** Those whose token is for a domain or for the system: roles on the domain in which the project personas live, on another domain, on the system. */
export const scopedPersonas = ['domainReader', 'domainManager', 'domainAdmin', 'otherDomainManager', 'otherDomainAdmin', 'systemReader', 'systemAdmin'] as const
export type ScopedPersona = (typeof scopedPersonas)[number]
export const personas = [...projectPersonas, ...scopedPersonas] as const
export type AnyPersona = Persona | ScopedPersona

/** What stands behind each scoped persona, for those who make them. */
export const scopedRoles: Record<ScopedPersona, { role: 'reader' | 'manager' | 'admin', on: 'domain' | 'otherDomain' | 'system' }> = {
  domainReader: { role: 'reader', on: 'domain' }, domainManager: { role: 'manager', on: 'domain' }, domainAdmin: { role: 'admin', on: 'domain' },
  otherDomainManager: { role: 'manager', on: 'otherDomain' }, otherDomainAdmin: { role: 'admin', on: 'otherDomain' },
  systemReader: { role: 'reader', on: 'system' }, systemAdmin: { role: 'admin', on: 'system' },
}

export interface AccessWorld {
  /** The project of reader, member and manager. */
  projectId: string
  otherProjectId: string
  /** The domain of the project personas and of the domain* ones. */
  domainId: string
  /** The domain of the otherDomain* personas. */
  otherDomainId: string
  userId(persona: AnyPersona): string
  /** Calls an operation of any service as somebody, over HTTP; throws unless it succeeds: for fixtures. */
  call<T = any>(as: AnyPersona, service: string, operation: string, call?: Call): Promise<Answer<T>>
  /** A name nobody used before. */
  unique(prefix: string): string
}

/** The status each persona sees. What is not said of a scoped persona follows from the rest (`scopedVerdict`), except in services that know all scopes. */
export type Verdict = Record<Persona, number> & Partial<Record<ScopedPersona, number>>

export interface AccessCase {
  operation: string
  /** Makes what the operation needs (afresh for each persona) and answers the call. */
  request?(world: AccessWorld): Promise<Call> | Call
  expect: Verdict
  /** A second case of the same operation (a body that only administrators may send) says what it is about. */
  about?: string
}

/** The same status for every scoped persona. */
export const allScoped = (status: number): Record<ScopedPersona, number> => Object.fromEntries(scopedPersonas.map((p) => [p, status])) as Record<ScopedPersona, number>

/** A service for project tokens only refuses all others, unless everybody may or nobody may even know. */
export const scopedVerdict = (expect: Verdict, internal = false): Record<ScopedPersona, number> => allScoped(expect.nobody !== 401 ? expect.nobody : internal ? 404 : 403)

/** The common verdicts, to be spread and amended. Identity has its own, which say more: services/identity/testing/verdicts.ts. */
export const verdicts = {
  /** Administrators only. */
  admin: (ok = 200): Verdict => ({ nobody: 401, reader: 403, member: 403, manager: 403, admin: ok, other: 403 }),
  /** Anybody in the project may read; it does not exist for others. */
  reader: (ok = 200): Verdict => ({ nobody: 401, reader: ok, member: ok, manager: ok, admin: ok, other: 404 }),
  /** Members may change; it does not exist for others. */
  member: (ok: number): Verdict => ({ nobody: 401, reader: 403, member: ok, manager: ok, admin: ok, other: 404 }),
  /** Lists and creations: everybody in his own project. */
  listing: (ok = 200): Verdict => ({ nobody: 401, reader: ok, member: ok, manager: ok, admin: ok, other: ok }),
  creating: (ok: number): Verdict => ({ nobody: 401, reader: 403, member: ok, manager: ok, admin: ok, other: ok }),
  /** Whoever shows a token, whatever it is for. */
  authenticated: (ok = 200): Verdict => ({ nobody: 401, reader: ok, member: ok, manager: ok, admin: ok, other: ok, ...allScoped(ok) }),
  everybody: (ok = 200): Verdict => ({ nobody: ok, reader: ok, member: ok, manager: ok, admin: ok, other: ok }),
}

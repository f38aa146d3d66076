// The access test is generated from the lists of operations: each is tried as every persona. What should happen lies beside the
// operation, in its noun's access.ts; an operation without it fails the test.
import type { Answer, Call } from '#kit/http/client.ts'

/** Personas: no token; the four roles on a project of their own; the member of another project. */
export const personas = ['nobody', 'reader', 'member', 'manager', 'admin', 'other'] as const
export type Persona = (typeof personas)[number]

export interface AccessWorld {
  /** The project of reader, member and manager. */
  projectId: string
  otherProjectId: string
  domainId: string
  userId(persona: Persona): string
  /** Calls an operation of any service as somebody, over HTTP; throws unless it succeeds: for fixtures. */
  call<T = any>(as: Persona, service: string, operation: string, call?: Call): Promise<Answer<T>>
  /** A name nobody used before. */
  unique(prefix: string): string
}

export interface AccessCase {
  operation: string
  /** Makes what the operation needs (afresh for each persona) and answers the call. */
  request?(world: AccessWorld): Promise<Call> | Call
  /** The status each persona sees. */
  expect: Record<Persona, number>
  /** A second case of the same operation (a body that only administrators may send) says what it is about. */
  about?: string
}

/** The common verdicts, to be spread and amended. */
export const verdicts = {
  /** Administrators only. */
  admin: (ok = 200): Record<Persona, number> => ({ nobody: 401, reader: 403, member: 403, manager: 403, admin: ok, other: 403 }),
  /** Anybody in the project may read; it does not exist for others. */
  reader: (ok = 200): Record<Persona, number> => ({ nobody: 401, reader: ok, member: ok, manager: ok, admin: ok, other: 404 }),
  /** Members may change; it does not exist for others. */
  member: (ok: number): Record<Persona, number> => ({ nobody: 401, reader: 403, member: ok, manager: ok, admin: ok, other: 404 }),
  /** Lists and creations: everybody in his own project. */
  listing: (ok = 200): Record<Persona, number> => ({ nobody: 401, reader: ok, member: ok, manager: ok, admin: ok, other: ok }),
  creating: (ok: number): Record<Persona, number> => ({ nobody: 401, reader: 403, member: ok, manager: ok, admin: ok, other: ok }),
  everybody: (ok = 200): Record<Persona, number> => ({ nobody: ok, reader: ok, member: ok, manager: ok, admin: ok, other: ok }),
}

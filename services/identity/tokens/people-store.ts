// The user as tokens tell of him: one join of `identityUsers as u` with his domain, `identityProjects as d`.
import type { Flag } from '#kit/store/store.ts'

/** A user with his domain. */
export interface Person {
  id: string
  name: string
  enabled: boolean
  domainId: string
  domainName: string
  passwordExpiresAt: string | null
  generation: number
  /** He and his domain are enabled. */
  mayEnter: boolean
}

/** For `select` of that join. */
export const personColumns = [
  'u.id as personId', 'u.name as personName', 'u.enabled as personEnabled', 'u.domainId as personDomainId', 'd.name as personDomainName', 'd.enabled as personDomainEnabled',
  'u.passwordExpiresAt as personPasswordExpiresAt', 'u.generation as personGeneration',
] as const

export interface PersonColumns {
  personId: string, personName: string, personEnabled: Flag, personDomainId: string, personDomainName: string,
  personDomainEnabled: Flag, personPasswordExpiresAt: string | null, personGeneration: number
}

/** The person in a row of that join. */
export const personOf = (row: PersonColumns): Person => ({
  id: row.personId, name: row.personName, enabled: row.personEnabled === 1, domainId: row.personDomainId,
  domainName: row.personDomainName, passwordExpiresAt: row.personPasswordExpiresAt,
  generation: Number(row.personGeneration), mayEnter: row.personEnabled === 1 && row.personDomainEnabled === 1,
})

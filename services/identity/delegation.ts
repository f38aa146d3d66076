// What may not be done with lent rights: they must not outlive, or outgrow, what they were lent for.
import type { Actor } from '#base/context.ts'
import { forbidden } from '#base/errors.ts'

const action = (what: string): Error => forbidden(`You are not authorized to perform the requested action: ${what}.`)

/** Application credentials outlive a trust: a trustee makes none and sees none. */
export function refuseTrusts(actor: Actor): void {
  if (actor.delegation?.trustId || actor.delegation?.accessTokenId) throw forbidden('Cannot manage application credentials with a token issued via delegation.')
}

/** A credential that is not `unrestricted` makes and deletes no others, nor does a consumer's access token. */
export function refuseRestricted(actor: Actor, others = 'additional application credentials'): void {
  if (actor.delegation?.accessTokenId) throw action(`Using method 'oauth1' is not allowed for managing ${others}`)
  if (actor.delegation?.applicationCredentialId && !actor.delegation.unrestricted) throw action(`Using method 'application_credential' is not allowed for managing ${others}`)
}

/** Trusts are not for application credentials and consumers at all. */
export function refuseApplicationCredentials(actor: Actor): void {
  if (actor.delegation?.accessTokenId) throw action('Using method \'oauth1\' is not allowed for managing trusts')
  if (actor.delegation?.applicationCredentialId) throw action('Using method \'application_credential\' is not allowed for managing trusts')
}

/** Whether lent rights reach a credential of this project; those of no project are the user's own. */
export const reaches = (actor: Actor, projectId: string | null | undefined): boolean =>
  !actor.delegation || (projectId !== null && projectId !== undefined && projectId === actor.projectId)
/** Throws the 403 when they do not reach. */
export function refuseBeyond(actor: Actor, projectId: string | null | undefined): void {
  if (!reaches(actor, projectId)) throw action('Credential project does not match the project scope of the delegated token')
}

// What a trust that is made of another one may lend: never more than it was lent.
import { badRequest, forbidden } from '#base/errors.ts'
import type { TrustRow } from '../schema.ts'

/** What is asked for. */
export interface Wish {
  projectId: string | null
  impersonation: boolean
  expiresAt: string | null
  remainingUses: number | null
  roleIds: string[]
  allowRedelegation: boolean
  redelegationCount: number | null
}

/** How deep it may be handed on. Throws what keystone throws when more is wished for than may be. */
export function depthOf(wish: Wish, parent: TrustRow | undefined, max: number): number {
  const { redelegationCount: asked } = wish
  if (!wish.allowRedelegation || asked === 0) return 0
  if (asked !== null && asked > max) throw forbidden(`Requested redelegation depth of ${asked} is greater than allowed ${max}`)
  if (wish.remainingUses !== null) throw badRequest('remaining_uses must not be set if redelegation is allowed')
  if (!parent) return asked ?? max
  const left = parent.redelegationCount - 1
  if (asked !== null && asked !== left) throw forbidden('Modifying "redelegation_count" upon redelegation is forbidden. Omitting this parameter is advised.')
  return left
}

/** Throws the 403 for what the trust it is made of does not hold. A time that was not asked for becomes the parent's. */
export function checkRedelegation(wish: Wish, parent: TrustRow, max: number): void {
  if (parent.redelegationCount <= 0 || parent.redelegationCount > max) {
    throw forbidden(`Remaining redelegation depth of ${parent.redelegationCount} out of allowed range of [0..${max}]`)
  }
  if (wish.remainingUses !== null) throw forbidden(`Field "remaining_uses" is set to ${wish.remainingUses} while it must not be set in order to redelegate a trust`)
  if (wish.expiresAt === null) wish.expiresAt = parent.expiresAt
  else if (parent.expiresAt !== null && Date.parse(wish.expiresAt) > Date.parse(parent.expiresAt)) {
    throw forbidden('Requested expiration time is more than redelegated trust can provide')
  }
  const lent = JSON.parse(parent.roleIds) as string[]
  if (!wish.roleIds.every((id) => lent.includes(id))) throw forbidden('Some of requested roles are not in redelegated trust')
  if (wish.projectId !== parent.projectId) throw forbidden('A redelegated trust is for the project of the trust it is made of')
  if (wish.impersonation && parent.impersonation === 0) {
    throw forbidden(`Impersonation is not allowed because redelegated trust does not specify impersonation. Redelegated trust id: ${parent.id}`)
  }
}

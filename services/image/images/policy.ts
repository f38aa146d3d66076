// https://docs.openstack.org/glance/latest/configuration/glance_policy.html. Whom an image shows itself to depends on its visibility
// and members, so `sees` looks at what the loader found out (see target.ts).
import type { Actor } from '#base/context.ts'
import { forbidden } from '#base/errors.ts'
import { all, any, admin, ownProject, role, service, type Rule, type Target } from '#kit/policy/rules.ts'

/** What the rules look at in an image. */
export interface ImageTarget extends Target { visibility: string, sharedWith?: string }

/** Shared with the caller's project. */
const member: Rule = {
  text: 'project_id:%(member_id)s',
  allows: (actor, target) => target === undefined || ((target as ImageTarget).sharedWith !== undefined && (target as ImageTarget).sharedWith === actor.projectId),
}
const open: Rule = {
  text: '"public":%(visibility)s or "community":%(visibility)s',
  allows: (_actor, target) => target === undefined || ['public', 'community'].includes((target as ImageTarget).visibility),
}
export const readers = any(role('reader'), service)
export const seeImage = any(admin, all(readers, any(ownProject, open, member)))
export const listImages = any(admin, readers)
export const addImage = any(admin, role('member'))
export const changeImage = any(admin, all(role('member'), ownProject))
/** Whether to take a shared image is its member's alone, not its owner's. */
export const joinImage = any(admin, all(role('member'), member))
/** Bytes are more than knowing of them: a reader sees the image only. */
export const downloadImage = any(admin, all(any(role('member'), service), any(ownProject, open, member)))
export const manageImages = admin
export const publicize = admin
const communitize = any(admin, role('member'))

/** Whom an image may be shown to is a matter of its own, beside changing it. */
export function checkVisibility(actor: Actor, visibility: string): void {
  if (visibility === 'public' && !publicize.allows(actor)) throw forbidden('You are not authorized to complete publicize_image action.')
  if (visibility === 'community' && !communitize.allows(actor)) throw forbidden('You are not authorized to complete communitize_image action.')
}

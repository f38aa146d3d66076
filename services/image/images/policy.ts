// https://docs.openstack.org/glance/latest/configuration/glance_policy.html. Whom an image shows itself to depends on its visibility
// and members, so `sees` looks at what the loader found out (see target.ts).
import { all, any, admin, ownProject, role, service, type Rule, type Target } from '#kit/policy/rules.ts'

export interface ImageTarget extends Target { visibility: string, sharedWith?: string }

/** public, community, or shared with the caller's project. */
const shown: Rule = {
  text: '"public":%(visibility)s or "community":%(visibility)s or project_id:%(member_id)s',
  allows: (actor, target) => target === undefined || ['public', 'community'].includes((target as ImageTarget).visibility) || ((target as ImageTarget).sharedWith !== undefined && (target as ImageTarget).sharedWith === actor.projectId),
}
const reader = any(role('reader'), service)
export const seeImage = any(admin, all(reader, ownProject), all(reader, shown))
export const listImages = any(admin, reader)
export const addImage = any(admin, role('member'))
export const changeImage = any(admin, all(role('member'), ownProject))
export const publicize = admin
export const communitize = changeImage
export const readers = reader

import { all, any, projectScope, role } from '#kit/policy/rules.ts'
import { admin } from '../policy.ts'

export { admin as change, admin as listAccess, admin as listAll, authenticated as list, authenticated as show } from '../policy.ts'
/** Flavors have no owner: a reader of any project. */
export const showExtraSpecs = any(admin, all(role('reader'), projectScope))

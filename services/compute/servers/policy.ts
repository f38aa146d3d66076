// https://docs.openstack.org/nova/latest/configuration/policy.html, servers
import { all, any, projectScope, role } from '#kit/policy/rules.ts'
import { admin } from '../policy.ts'

export { member as change, reader as show } from '../policy.ts'
/** Lists of the caller's own project. */
export const list = any(admin, all(role('reader'), projectScope))
export const listAllProjects = admin
/** Filters by host and the like, and everything else of the row. */
export const allFilters = admin
export const create = any(admin, all(role('member'), projectScope))
/** Naming the host a server is to go to. */
export const chooseHost = admin
/** Host, hypervisor, user data. */
export const seeHost = admin
export const unlockAny = admin
export const resetState = admin
export const zeroDisk = admin
export const seeFlavorSpecs = any(admin, all(role('reader'), projectScope))

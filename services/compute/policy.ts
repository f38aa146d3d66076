// The rules that several nouns share; what only one noun needs stands in its own folder.
// https://docs.openstack.org/nova/latest/configuration/policy.html
import { admin, adminOrMember, adminOrReader, authenticated } from '#kit/policy/rules.ts'

export { admin, authenticated }
/** Members of the project and administrators. */
export const member = adminOrMember
/** Readers of the project and administrators. */
export const reader = adminOrReader

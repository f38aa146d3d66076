// https://docs.openstack.org/placement/latest/configuration/policy.html, as it is since the roles `service` and `reader` count.
import { admin, any, projectReader, type Rule } from '#kit/policy/rules.ts'

/** One of our own services, or somebody else's whose user has the role. */
const service: Rule = { text: 'role:service', allows: (actor) => actor.service !== undefined || actor.roles.includes('service') }

/** All but usages: the scheduler, the compute agents and administrators. */
export const adminOrService = any(admin, service)
/** Only those whose resources they are may tear them apart. */
export const reshape = service
/** Who reads what his own project takes, too. */
export const usages = any(admin, projectReader, service)

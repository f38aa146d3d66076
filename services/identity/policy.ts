// The parts that identity's policies are made of, in today's keystone's words.
import type { Actor } from '#base/context.ts'
import { all, any, ownDomain, ownUser, projectScope, role, service, systemScope, type Rule, type Target } from '#kit/policy/rules.ts'

/** The administrator, on any scope. */
export const adminRequired = role('admin')
/** What concerns the whole cloud is not done with a domain's token. */
export const cloudAdmin = all(adminRequired, any(systemScope, projectScope))
export const systemReader = all(role('reader'), systemScope)
/** scope_types system and project. A domain's token is refused whatever its roles; Pileus's own services read what they need. */
export const adminOrSystemReader = any(cloudAdmin, systemReader, service)
/** The same for what a domain's administrator may see too. */
export const anyAdminOrSystemReader = any(adminRequired, systemReader, service)
export const domainReader = all(role('reader'), ownDomain)
export const domainManager = all(role('manager'), ownDomain)
/** Who sees what domains hold: all of it, or one domain's. */
export const adminOrReaders = any(anyAdminOrSystemReader, domainReader)
/** Who changes it. */
export const adminOrDomainManager = any(adminRequired, domainManager)
export const adminOrOwner = any(adminRequired, ownUser)
export const adminReaderOrOwner = any(anyAdminOrSystemReader, ownUser)
/** What is not done with a domain's token, not even to one's own things. */
export const beyondDomains: Rule = { text: 'not domain_scope', allows: (actor) => actor.domainId === undefined }

/** Domain managers hand out these and nothing above them. */
const managedRoles = ['manager', 'member', 'reader']

/** What a grant concerns, for its rules. */
export interface GrantTarget extends Target { actorDomainId: string | null, targetDomainId: string | null, roleName?: string, roleDomainId?: string }
const grantWithin = (name: string, roleFits: (actor: Actor, t: GrantTarget) => boolean, text: string): Rule => ({
  text: `role:${name} and domain_id:%(target.user_or_group.domain_id)s and domain_id:%(target.project_or_domain.domain_id)s and ${text}`,
  allows(actor, target) {
    if (!actor.roles.includes(name) || actor.domainId === undefined) return false
    const t = target as GrantTarget | undefined
    return t === undefined || (t.actorDomainId === actor.domainId && t.targetDomainId === actor.domainId && roleFits(actor, t))
  },
})
const roleOfDomain = (actor: Actor, t: GrantTarget): boolean => !t.roleDomainId || t.roleDomainId === actor.domainId
/** Who sees the grants within his domain. */
export const domainGrantReader = grantWithin('reader', roleOfDomain, '(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)')
/** Who grants and revokes within his domain what roles there are. */
export const domainGrantAdmin = grantWithin('admin', roleOfDomain, '(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)')
/** Who does so with the roles that managers may hand out. */
export const domainGrantManager = grantWithin('manager', (_actor, t) => t.roleName === undefined || managedRoles.includes(t.roleName), 'rule:domain_managed_target_role')

/** A manager may see the roles he may hand out with a domain's token. */
export const domainManagedRole: Rule = {
  text: 'role:manager and rule:domain_managed_target_role',
  allows: (actor, target) => actor.roles.includes('manager') && (target === undefined || managedRoles.includes((target as GrantTarget).roleName ?? '')),
}
/** What holds for roles that all domains share. */
export const ofSharedRoles = (rule: Rule): Rule => ({
  text: `(${rule.text}) and None:%(target.role.domain_id)s`,
  allows: (actor, target) => !target?.domainId && rule.allows(actor, target),
})
/** A manager of some domain, with that domain's token. */
export const anyDomainManager: Rule = { text: 'role:manager and not domain_id:None', allows: (actor) => actor.roles.includes('manager') && actor.domainId !== undefined }

// Access rules: small predicates that say what they allow in oslo.policy's words. Each stands beside the operation it guards.
import type { Actor } from '#base/context.ts'

/** What a rule may look at in the thing that is acted upon. */
export interface Target { projectId?: string | null, domainId?: string | null, userId?: string | null }

/** Who may. */
export interface Rule {
  /** In oslo.policy's notation, for the reference pages. */
  readonly text: string
  /** Without a target: may this caller use the operation on anything at all? With one: on this one? */
  allows(actor: Actor, target?: Target): boolean
}

const rule = (text: string, allows: Rule['allows']): Rule => ({ text, allows })

/** No token needed. The pipeline does not even look for one. */
export const anyone: Rule = rule('@', () => true)
/** Any valid token, unscoped ones included. */
export const authenticated: Rule = rule('', (actor) => actor.userId !== '' || actor.service !== undefined)
export const nobody: Rule = rule('!', () => false)

/** The token has the role, whatever its scope. */
export const role = (name: string): Rule => rule(`role:${name}`, (actor) => actor.roles.includes(name))
/** Another Pileus service, with its own short-lived credential. Users never pass. */
export const service: Rule = rule('role:service', (actor) => actor.service !== undefined)
/** The token is scoped to the project that owns the target. */
export const ownProject: Rule = rule('project_id:%(project_id)s', (actor, target) =>
  actor.projectId !== undefined && (target === undefined || target.projectId === actor.projectId))
/** The token is scoped to the domain that owns the target. */
export const ownDomain: Rule = rule('domain_id:%(domain_id)s', (actor, target) => actor.domainId !== undefined && (target === undefined || target.domainId === actor.domainId))
/** The caller is the user whose the target is. */
export const ownUser: Rule = rule('user_id:%(user_id)s', (actor, target) => actor.userId !== '' && (target === undefined || target.userId === actor.userId))
export const systemScope: Rule = rule('system_scope:all', (actor) => actor.system === 'all')
export const projectScope: Rule = rule('project_scope', (actor) => actor.projectId !== undefined)

const joined = (rules: Rule[], word: string): string => rules.map((r) => (/ (and|or) /.test(r.text) ? `(${r.text})` : r.text)).join(` ${word} `)
/** Who passes every one of them. */
export const all = (...rules: Rule[]): Rule => rule(joined(rules, 'and'), (actor, target) => rules.every((r) => r.allows(actor, target)))
/** Who passes one of them. */
export const any = (...rules: Rule[]): Rule => rule(joined(rules, 'or'), (actor, target) => rules.some((r) => r.allows(actor, target)))

// The personas of OpenStack's secure defaults. A role implies the lesser ones (admin > manager > member > reader); identity has
// already put the implied roles into the token.

/** The cloud's administrator: the admin role on any scope, as nova, neutron and glance read it. */
export const admin: Rule = role('admin')
export const projectReader: Rule = all(role('reader'), ownProject)
export const projectMember: Rule = all(role('member'), ownProject)
export const adminOrReader: Rule = any(admin, projectReader)
export const adminOrMember: Rule = any(admin, projectMember)
export const adminOrService: Rule = any(admin, service)

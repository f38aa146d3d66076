// Who may do what with network's resources: neutron's secure defaults.
// https://docs.openstack.org/neutron/latest/configuration/policy.html
import type { Actor } from '#base/context.ts'
import { admin, all, any, ownProject, projectMember, projectReader, role, type Rule, type Target } from '#kit/policy/rules.ts'

/** What rules look at besides the owner: a resource on a network answers to the network's owner too. */
export interface NetTarget extends Target {
  networkProjectId?: string | null
  shared?: boolean
  external?: boolean
}

const rule = (text: string, allows: (actor: Actor, target: NetTarget) => boolean): Rule => ({ text, allows: (actor, target) => target === undefined || allows(actor, target) })

export const shared = rule('field:networks:shared=True', (_actor, target) => target.shared === true)
export const externalNetwork = rule('field:networks:router:external=True', (_actor, target) => target.external === true)
export const networkOwner = rule('tenant_id:%(network:tenant_id)s', (actor, target) => actor.projectId !== undefined && target.networkProjectId === actor.projectId)

/** Any token with a role on something. */
export const anyReader = role('reader')
export const read = any(admin, projectReader)
export const change = any(admin, projectMember)
export const readNetwork = any(admin, projectReader, all(anyReader, shared), all(anyReader, externalNetwork))
export const readSubnet = any(admin, projectReader, all(anyReader, shared), all(role('reader'), networkOwner))
export const changeOnNetwork = any(admin, projectMember, all(role('member'), networkOwner))
export const readOnNetwork = any(admin, projectReader, all(role('reader'), networkOwner))

/** Attributes that only the network's owner (or an administrator) may set. */
export const adminOrNetworkOwner = any(admin, networkOwner)
export const adminOrNetworkOwnerOrShared = any(admin, networkOwner, shared)
export { admin, ownProject }

export const isAdmin = (actor: Actor): boolean => admin.allows(actor)

// https://docs.openstack.org/glance/latest/configuration/glance_policy.html: definitions are read by all who see their namespace, written by administrators.
import { admin, all, any, ownProject, type Rule, type Target } from '#kit/policy/rules.ts'
import { readers } from '../images/policy.ts'

export interface NamespaceTarget extends Target { visibility: string }

const shown: Rule = {
  text: '"public":%(visibility)s',
  // One without an owner is everybody's, too.
  allows: (_actor, target) => target === undefined || (target as NamespaceTarget).visibility === 'public' || target.projectId === null,
}
export const see = any(admin, all(readers, any(ownProject, shown)))
export const list = any(admin, readers)
export const change = admin

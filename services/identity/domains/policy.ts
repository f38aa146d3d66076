// https://docs.openstack.org/keystone/latest/configuration/policy.html, domains
import type { Rule } from '#kit/policy/rules.ts'
import { any, ownDomain } from '#kit/policy/rules.ts'
import { adminOrReaders, anyAdminOrSystemReader, cloudAdmin } from '../policy.ts'

/** The domain in which the token's project stands. */
const projectsDomain: Rule = {
  text: 'token.project.domain.id:%(target.domain.id)s',
  allows: (actor, target) => actor.projectDomainId !== undefined && (target === undefined || target.domainId === actor.projectDomainId),
}

export const listDomains = adminOrReaders
export const showDomain = any(anyAdminOrSystemReader, ownDomain, projectsDomain)
export const changeDomain = cloudAdmin

// https://docs.openstack.org/keystone/latest/configuration/policy.html, access rules: no project's administrator sees another's
import { all, any, ownUser, service, systemScope } from '#kit/policy/rules.ts'
import { adminRequired, beyondDomains, systemReader } from '../policy.ts'

export const readRules = all(beyondDomains, any(systemReader, service, ownUser))
export const deleteRule = all(beyondDomains, any(all(adminRequired, systemScope), ownUser))

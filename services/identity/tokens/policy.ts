// https://docs.openstack.org/keystone/latest/configuration/policy.html, tokens
import { all, any, authenticated, ownUser, role, service } from '#kit/policy/rules.ts'
import { adminRequired, beyondDomains, systemReader } from '../policy.ts'

export const validateToken = any(adminRequired, systemReader, role('service'), service, ownUser)
export const revokeToken = any(adminRequired, ownUser)
export const ownScopes = authenticated
export const listRevocations = all(beyondDomains, any(adminRequired, role('service'), service))

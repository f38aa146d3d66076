// https://docs.openstack.org/keystone/latest/configuration/policy.html, limits and registered limits
import { any, authenticated, ownDomain, ownProject } from '#kit/policy/rules.ts'
import { anyAdminOrSystemReader, cloudAdmin } from '../policy.ts'

export const readRegistered = authenticated
export const listLimits = authenticated
export const showLimit = any(anyAdminOrSystemReader, ownDomain, ownProject)
export const changeLimit = cloudAdmin

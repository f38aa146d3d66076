// https://docs.openstack.org/keystone/latest/configuration/policy.html, roles and implied roles
import { any } from '#kit/policy/rules.ts'
import { adminOrSystemReader, anyAdminOrSystemReader, anyDomainManager, cloudAdmin, domainManagedRole } from '../policy.ts'

export const listRoles = any(anyAdminOrSystemReader, anyDomainManager)
export const showRole = any(anyAdminOrSystemReader, domainManagedRole)
export const changeRole = cloudAdmin
export const readInference = adminOrSystemReader
export const changeInference = cloudAdmin

// https://docs.openstack.org/keystone/latest/configuration/policy.html, roles, domain roles and implied roles
import { any } from '#kit/policy/rules.ts'
import { adminOrSystemReader, adminRequired, anyDomainManager, cloudAdmin, domainManagedRole, ofSharedRoles } from '../policy.ts'

export const listRoles = any(adminOrSystemReader, ofSharedRoles(any(adminRequired, anyDomainManager)))
export const showRole = any(adminOrSystemReader, ofSharedRoles(any(adminRequired, domainManagedRole)))
export const changeRole = cloudAdmin
export const readInference = adminOrSystemReader
export const changeInference = cloudAdmin

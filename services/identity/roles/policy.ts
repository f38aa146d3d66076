// https://docs.openstack.org/keystone/latest/configuration/policy.html, roles and implied roles
import { any } from '#kit/policy/rules.ts'
import { adminOrSystemReader, anyDomainManager, cloudAdmin, domainManagedRole } from '../policy.ts'

export const listRoles = any(adminOrSystemReader, anyDomainManager)
export const showRole = any(adminOrSystemReader, domainManagedRole)
export const changeRole = cloudAdmin
export const readInference = adminOrSystemReader
export const changeInference = cloudAdmin

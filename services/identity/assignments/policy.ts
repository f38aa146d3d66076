// https://docs.openstack.org/keystone/latest/configuration/policy.html, grants and role assignments
import { any } from '#kit/policy/rules.ts'
import { adminOrReaders, adminOrSystemReader, adminRequired, anyAdminOrSystemReader, cloudAdmin, domainGrantAdmin, domainGrantManager, domainGrantReader } from '../policy.ts'

export const readGrant = any(anyAdminOrSystemReader, domainGrantReader)
export const changeGrant = any(adminRequired, domainGrantAdmin, domainGrantManager)
export const readSystemGrant = adminOrSystemReader
export const changeSystemGrant = cloudAdmin
export const listAssignments = adminOrReaders

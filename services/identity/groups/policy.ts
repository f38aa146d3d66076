// https://docs.openstack.org/keystone/latest/configuration/policy.html, groups
import { adminOrDomainManager, adminOrReaders } from '../policy.ts'

export const readGroup = adminOrReaders
export const changeGroup = adminOrDomainManager

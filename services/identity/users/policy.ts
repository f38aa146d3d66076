// https://docs.openstack.org/keystone/latest/configuration/policy.html, users
import { any, ownUser } from '#kit/policy/rules.ts'
import { adminOrDomainManager, adminOrReaders } from '../policy.ts'

export const listUsers = adminOrReaders
export const showUser = any(adminOrReaders, ownUser)
export const changeUser = adminOrDomainManager

// https://docs.openstack.org/keystone/latest/configuration/policy.html, consumers and access tokens
import { any, ownUser } from '#kit/policy/rules.ts'
import { adminOrSystemReader, adminRequired, cloudAdmin } from '../policy.ts'

export const readConsumers = adminOrSystemReader
export const changeConsumers = cloudAdmin
/** One's own, and an administrator's to look after. */
export const ownTokens = any(adminRequired, ownUser)

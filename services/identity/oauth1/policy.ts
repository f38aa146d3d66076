// https://docs.openstack.org/keystone/latest/configuration/policy.html, consumers and access tokens
import { all, projectScope } from '#kit/policy/rules.ts'
import { adminOrSystemReader, adminRequired, cloudAdmin } from '../policy.ts'

export const readConsumers = adminOrSystemReader
export const changeConsumers = cloudAdmin
/** An administrator's matter by default, with a project's token. */
export const accessTokens = all(adminRequired, projectScope)

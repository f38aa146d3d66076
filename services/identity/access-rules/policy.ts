// https://docs.openstack.org/keystone/latest/configuration/policy.html, access rules
import { all } from '#kit/policy/rules.ts'
import { adminOrOwner, adminReaderOrOwner, beyondDomains } from '../policy.ts'

export const readRules = all(beyondDomains, adminReaderOrOwner)
export const deleteRule = all(beyondDomains, adminOrOwner)

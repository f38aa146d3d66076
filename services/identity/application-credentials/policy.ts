// https://docs.openstack.org/keystone/latest/configuration/policy.html, application credentials
import { all, ownUser, projectScope } from '#kit/policy/rules.ts'
import { adminOrOwner, adminReaderOrOwner, beyondDomains } from '../policy.ts'

export const readCredentials = all(beyondDomains, adminReaderOrOwner)
export const createCredential = all(ownUser, projectScope)
export const deleteCredential = all(beyondDomains, adminOrOwner)

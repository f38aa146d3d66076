// https://docs.openstack.org/keystone/latest/configuration/policy.html, application credentials
import { all, ownUser, projectScope } from '#kit/policy/rules.ts'
import { adminOrOwner, adminReaderOrOwner } from '../policy.ts'

export const readCredentials = adminReaderOrOwner
export const createCredential = all(ownUser, projectScope)
export const deleteCredential = adminOrOwner

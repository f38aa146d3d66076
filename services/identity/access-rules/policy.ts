// https://docs.openstack.org/keystone/latest/configuration/policy.html, access rules
import { adminOrOwner, adminReaderOrOwner } from '../policy.ts'

export const readRules = adminReaderOrOwner
export const deleteRule = adminOrOwner

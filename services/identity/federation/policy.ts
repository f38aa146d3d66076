// https://docs.openstack.org/keystone/latest/configuration/policy.html, federation: providers, protocols, mappings and service providers alike.
import { adminOrSystemReader, cloudAdmin } from '../policy.ts'

export const read = adminOrSystemReader
export const change = cloudAdmin

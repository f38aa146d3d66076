// https://docs.openstack.org/keystone/latest/configuration/policy.html, regions, services and endpoints
import { authenticated } from '#kit/policy/rules.ts'
import { adminOrSystemReader, cloudAdmin } from '../policy.ts'

export const readRegion = authenticated
export const readCatalog = adminOrSystemReader
export const changeCatalog = cloudAdmin

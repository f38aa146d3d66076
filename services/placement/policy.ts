// https://docs.openstack.org/placement/latest/configuration/policy.html: administrators and services only.
import { adminOrService, any, admin, projectReader, service } from '#kit/policy/rules.ts'

export const providers = adminOrService
export const allocations = adminOrService
export const usages = any(admin, service, projectReader)

// https://docs.openstack.org/keystone/latest/configuration/policy.html, projects
import { any, ownProject } from '#kit/policy/rules.ts'
import { adminOrDomainManager, adminOrReaders } from '../policy.ts'

export const listProjects = adminOrReaders
export const showProject = any(adminOrReaders, ownProject)
export const changeProject = adminOrDomainManager

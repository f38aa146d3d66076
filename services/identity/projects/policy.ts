// https://docs.openstack.org/keystone/latest/configuration/policy.html, projects
import { all, any, authenticated, ownDomain, ownProject, role, systemScope } from '#kit/policy/rules.ts'

const adminRequired = role('admin')
export const listProjects = any(adminRequired, all(role('reader'), systemScope), all(role('reader'), ownDomain))
export const showProject = any(adminRequired, all(role('reader'), systemScope), all(role('reader'), ownDomain), ownProject)
export const changeProject = any(adminRequired, all(role('manager'), ownDomain))
export const anyProject = authenticated

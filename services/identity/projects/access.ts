import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'

export const freshProject = async (w: AccessWorld): Promise<string> =>
  (await w.call('admin', 'identity', 'createProject', { body: { project: { name: w.unique('project') } } })).body.project.id
const aProject = async (w: AccessWorld) => ({ params: { project_id: await freshProject(w) } })

export const access: AccessCase[] = [
  { operation: 'listProjects', expect: verdicts.domainListing() },
  { operation: 'showProject', request: (w) => ({ params: { project_id: w.projectId } }), expect: verdicts.projectReader() },
  { operation: 'createProject', request: (w) => ({ body: { project: { name: w.unique('project') } } }), expect: verdicts.domainCreating(201) },
  { operation: 'createProject', about: 'in another domain', request: (w) => ({ body: { project: { name: w.unique('project'), domain_id: w.otherDomainId } } }),
    expect: { ...verdicts.domainCreating(201), domainManager: 403 } },
  { operation: 'updateProject', request: async (w) => ({ ...await aProject(w), body: { project: { description: 'x' } } }), expect: verdicts.domainManager() },
  { operation: 'updateProject', about: 'one\'s own', request: (w) => ({ params: { project_id: w.projectId }, body: { project: { description: 'x' } } }),
    expect: verdicts.domainManager() },
  { operation: 'deleteProject', request: aProject, expect: verdicts.domainManager(204) },
]

import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

export const freshProject = async (w: AccessWorld): Promise<string> => (await w.call('admin', 'identity', 'createProject', { body: { project: { name: w.unique('project') } } })).body.project.id
const aProject = async (w: AccessWorld) => ({ params: { project_id: await freshProject(w) } })

export const access: AccessCase[] = [
  { operation: 'listProjects', expect: verdicts.admin() },
  { operation: 'showProject', request: (w) => ({ params: { project_id: w.projectId } }), expect: verdicts.reader() },
  { operation: 'createProject', request: (w) => ({ body: { project: { name: w.unique('project') } } }), expect: verdicts.admin(201) },
  { operation: 'updateProject', request: async (w) => ({ ...await aProject(w), body: { project: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'updateProject', about: 'one\'s own', request: (w) => ({ params: { project_id: w.projectId }, body: { project: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteProject', request: aProject, expect: verdicts.admin(204) },
]

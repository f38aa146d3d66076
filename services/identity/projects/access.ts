import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listProjects', expect: verdicts.admin() },
  { operation: 'showProject', request: (w) => ({ params: { project_id: w.projectId } }), expect: verdicts.reader() },
  { operation: 'createProject', request: (w) => ({ body: { project: { name: w.unique('project') } } }), expect: verdicts.admin(201) },
]

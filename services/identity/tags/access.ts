import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const tagged = async (w: AccessWorld) => {
  const params = { project_id: w.projectId, value: w.unique('tag') }
  await w.call('admin', 'identity', 'addProjectTag', { params })
  return { params }
}

export const access: AccessCase[] = [
  { operation: 'listProjectTags', request: (w) => ({ params: { project_id: w.projectId } }), expect: verdicts.reader() },
  { operation: 'checkProjectTag', request: tagged, expect: verdicts.reader(204) },
  { operation: 'addProjectTag', request: (w) => ({ params: { project_id: w.projectId, value: w.unique('tag') } }), expect: verdicts.admin(201) },
  { operation: 'replaceProjectTags', request: (w) => ({ params: { project_id: w.projectId }, body: { tags: ['a'] } }), expect: verdicts.admin() },
  { operation: 'removeProjectTag', request: tagged, expect: verdicts.admin(204) },
  { operation: 'clearProjectTags', request: tagged, expect: verdicts.admin(204) },
]

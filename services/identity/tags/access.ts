import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'

const tagged = async (w: AccessWorld) => {
  const params = { project_id: w.projectId, value: w.unique('tag') }
  await w.call('admin', 'identity', 'addProjectTag', { params })
  return { params }
}

export const access: AccessCase[] = [
  { operation: 'listProjectTags', request: (w) => ({ params: { project_id: w.projectId } }), expect: verdicts.projectReader() },
  { operation: 'checkProjectTag', request: tagged, expect: verdicts.projectReader(204) },
  { operation: 'addProjectTag', request: (w) => ({ params: { project_id: w.projectId, value: w.unique('tag') } }), expect: verdicts.domainManager(201) },
  { operation: 'replaceProjectTags', request: (w) => ({ params: { project_id: w.projectId }, body: { tags: ['a'] } }), expect: verdicts.domainManager() },
  { operation: 'removeProjectTag', request: tagged, expect: verdicts.domainManager(204) },
  { operation: 'clearProjectTags', request: tagged, expect: verdicts.domainManager(204) },
]

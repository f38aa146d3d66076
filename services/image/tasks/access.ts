import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { privateImage } from '../images/access.ts'
import { stagedImage } from '../stage/access.ts'

const task = async (w: AccessWorld): Promise<{ params: { task_id: string } }> => {
  const { params } = await stagedImage(w)
  await w.call('member', 'image', 'importImage', { params, body: { method: { name: 'glance-direct' } } })
  const { body } = await w.call('member', 'image', 'listImageTasks', { params })
  return { params: { task_id: body.tasks[0].id } }
}
export const access: AccessCase[] = [
  { operation: 'listTasks', expect: verdicts.admin() },
  { operation: 'showTask', request: task, expect: verdicts.admin() },
  // The address is of those that stand for nothing, so nothing is asked of anybody.
  { operation: 'createTask', request: () => ({ body: { type: 'import', input: { import_from: 'http://192.0.2.1/image', import_from_format: 'raw', image_properties: {} } } }),
    expect: verdicts.admin(400) },
  { operation: 'listImageTasks', request: (w) => privateImage(w), expect: verdicts.reader() },
]

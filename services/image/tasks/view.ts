// https://docs.openstack.org/api-ref/image/v2/#tasks
import { microsNoZone, seconds } from '#base/time.ts'
import type { TaskRow } from '../schema.ts'

/** As lists have it. */
export const taskStub = (task: TaskRow): Record<string, unknown> => ({
  id: task.id, type: task.type, status: task.status, owner: task.ownerId, created_at: seconds(task.createdAt),
  updated_at: seconds(task.updatedAt), self: `/v2/tasks/${task.id}`, schema: '/v2/schemas/task',
  ...(task.expiresAt !== null && { expires_at: seconds(task.expiresAt) }),
})
/** As it is shown alone. */
export const taskView = (task: TaskRow): Record<string, unknown> => ({
  ...taskStub(task), input: JSON.parse(task.input), message: task.message,
  result: task.result === null ? null : JSON.parse(task.result), request_id: task.requestId, user_id: task.userId,
  ...(task.imageId !== null && { image_id: task.imageId }),
})
/** As an image's own list of tasks has it: another shape, with instants of another kind. */
export const imageTaskView = (task: TaskRow): Record<string, unknown> => ({
  id: task.id, image_id: task.imageId, request_id: task.requestId, user_id: task.userId, type: task.type, status: task.status, owner: task.ownerId, input: JSON.parse(task.input),
  result: task.result === null ? null : JSON.parse(task.result), message: task.message, created_at: microsNoZone(task.createdAt), updated_at: microsNoZone(task.updatedAt),
  expires_at: task.expiresAt === null ? null : microsNoZone(task.expiresAt), deleted: false, deleted_at: null,
})

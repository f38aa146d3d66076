// https://docs.openstack.org/api-ref/image/v2/#tasks: work that goes on behind a request. Since imports have an API of their own, the list is the administrator's.
import { badRequest, notFound } from '#base/errors.ts'
import { isUuid, newId } from '#base/ids.ts'
import { checkUrl } from '#kit/http/outgoing.ts'
import { Reply } from '#kit/http/operation.ts'
import { lenient, oneOf, Type } from '#kit/http/schema.ts'
import { admin } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import { boundsOf, checkBounds, setField } from '../images/fields.ts'
import * as policy from '../images/policy.ts'
import * as images from '../images/store.ts'
import { imageTarget } from '../images/target.ts'
import { begin, shownUrl } from '../imports/api.ts'
import type { ImportInput } from '../imports/saga.ts'
import { quotaFor } from '../quota/limits.ts'
import * as tasks from './store.ts'
import { imageTaskView, taskStub, taskView } from './view.ts'

const most = 1000

export const listTasks = operation({
  name: 'listTasks', method: 'GET', path: '/tasks', summary: 'List tasks.', access: admin,
  query: lenient({
    limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: Type.Optional(Type.String({ maxLength: 64 })),
    sort_key: Type.Optional(oneOf(...Object.keys(tasks.taskSortKeys) as (keyof typeof tasks.taskSortKeys)[])),
    sort_dir: Type.Optional(oneOf('asc', 'desc')),
    status: Type.Optional(oneOf('pending', 'processing', 'success', 'failure')),
    type: Type.Optional(oneOf('import', 'api_image_import')),
  }),
  async handle(_ctx, { query, urls }, { store }) {
    if (query.marker !== undefined && !isUuid(query.marker)) throw badRequest('Invalid marker format')
    const limit = Math.min(query.limit ?? 25, most)
    const rows = await store.read(async (tx) => {
      const marker = query.marker === undefined ? undefined : await tasks.find(tx, query.marker)
      if (query.marker !== undefined && !marker) throw badRequest(`Marker ${query.marker} could not be found.`)
      const sort = tasks.taskSortKeys[query.sort_key ?? 'created_at']
      return tasks.list(tx, { status: query.status, type: query.type, sort, direction: query.sort_dir ?? 'desc', marker, limit })
    })
    const at = (marker?: string): string => {
      const search = new URLSearchParams(urls.search)
      search.delete('marker')
      if (marker !== undefined) search.set('marker', marker)
      return `/v2/tasks${search.size > 0 ? `?${search}` : ''}`
    }
    return { tasks: rows.map(taskStub), first: at(), schema: '/v2/schemas/tasks', ...(rows.length === limit && limit > 0 && { next: at(rows.at(-1)!.id) }) }
  },
})

const noTask = (id: string): Error => notFound(`No task found with ID ${id}`)

export const showTask = operation({
  name: 'showTask', method: 'GET', path: '/tasks/{task_id}', summary: 'Show a task.', access: admin,
  faults: ['notFound'],
  async handle(_ctx, { params }, { store }) {
    const task = await store.read((tx) => tasks.find(tx, params.task_id!))
    if (!task) throw noTask(params.task_id!)
    return taskView(task)
  },
})

export const listImageTasks = operation({
  name: 'listImageTasks', method: 'GET', path: '/images/{image_id}/tasks', summary: 'List the tasks that worked on an image.', access: policy.seeImage, target: imageTarget,
  async handle(ctx, { target }, { store }) {
    // They name users, and addresses: nothing for everybody who may see a public image.
    const { projectId } = ctx.actor, all = admin.allows(ctx.actor) || target.ownerId === projectId
    return { tasks: (await store.read((tx) => tasks.ofImage(tx, target.id))).filter((task) => all || task.ownerId === projectId).map(imageTaskView) }
  },
})

const targets: readonly string[] = ['raw', 'qcow2']

export const createTask = operation({
  name: 'createTask', method: 'POST', path: '/tasks', summary: 'Make an image of what lies behind a URL: the older way, for administrators.', status: 201, access: admin,
  body: lenient({
    type: oneOf('import'),
    input: lenient({
      import_from: Type.String({ maxLength: 4096 }), import_from_format: Type.String({ maxLength: 64 }),
      image_properties: Type.Object({}, { additionalProperties: true, maxProperties: 128 }),
    }),
  }),
  async handle(ctx, { body }, deps) {
    const { store, stores, config, converter } = deps
    const { input } = body, uri = input.import_from
    checkUrl(uri, config.webDownload)
    const taskId = newId()
    const image = { ...images.newImage(ctx.actor.projectId, 'importing'), importTaskId: taskId }
    for (const [name, value] of Object.entries(input.image_properties)) setField(image, name, value)
    checkBounds(boundsOf(image), config)
    const to = image.diskFormat ?? input.import_from_format
    setField(image, 'disk_format', input.import_from_format)
    image.containerFormat ??= 'bare'
    // What comes is of one format and shall become another: that is a conversion.
    const converted = targets.includes(to) && converter ? to as 'raw' | 'qcow2' : undefined
    const convertTo = to === image.diskFormat ? config.plugins.convertTo : converted
    if (convertTo === undefined) throw badRequest(`A ${input.import_from_format} image cannot be made a ${to} one here.`)
    const admit = await quotaFor(ctx, deps, image.ownerId)
    const task = await store.tx(async (tx) => {
      await admit(tx, { image_count_total: 1, image_count_uploading: 1, image_size_total: 0, image_stage_total: 0 })
      await images.add(tx, image)
      const begun = {
        id: taskId, type: 'import' as const, ownerId: ctx.actor.projectId ?? null, userId: ctx.actor.userId, requestId: ctx.requestId,
        imageId: image.id, input: JSON.stringify({ ...input, import_from: shownUrl(uri) }),
      }
      const work: ImportInput = {
        imageId: image.id, taskId, method: 'web-download', stores: [stores.defaultId], allMustSucceed: true, plugins: { ...config.plugins, convertTo }, madeImage: true,
      }
      return begin(tx, ctx, deps, begun, work, uri)
    }, { durable: true })
    return new Reply({ headers: { location: `/v2/tasks/${task.id}` }, body: taskView(task) })
  },
})

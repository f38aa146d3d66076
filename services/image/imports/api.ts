// https://docs.openstack.org/api-ref/image/v2/#import-an-image
import { badRequest, conflict, forbidden } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Context } from '#base/context.ts'
import { checkUrl } from '#kit/http/outgoing.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { tokenIn } from '#kit/http/token.ts'
import { operation, type Deps, type ImageTx } from '../deps.ts'
import { type ImportMethod } from '../config.ts'
import * as policy from '../images/policy.ts'
import * as images from '../images/store.ts'
import { imageTarget } from '../images/target.ts'
import { quotaFor } from '../quota/limits.ts'
import type { TaskRow } from '../schema.ts'
import { stagedOf } from '../stage/staged.ts'
import * as tasks from '../tasks/store.ts'
import { otherImage } from './other-region.ts'
import { importImage, resourceOf, type ImportInput } from './saga.ts'

/** A URL as it may be shown and kept: what follows the question mark may be a signature. */
export const shownUrl = (uri: string): string => uri.replace(/[?#].*$/s, '')

/** Begins an import in the caller's transaction: the image is its own from here on. */
export async function begin(
  tx: ImageTx, ctx: Context, { runner }: Pick<Deps, 'runner'>, task: Parameters<typeof tasks.add>[1], input: ImportInput, uri?: string,
): Promise<TaskRow> {
  const row = await tasks.add(tx, task)
  const { actor, requestId, traceId } = ctx
  await runner().start(tx, importImage, { resourceId: resourceOf(input.imageId), input, ...(uri !== undefined && { sealed: { uri } }), actor, requestId, traceId })
  return row
}

interface Asked { stores?: string[], all_stores?: boolean }

function storesAsked(body: Asked, header: string | string[] | undefined, { stores }: Pick<Deps, 'stores'>): string[] {
  if (body.all_stores && (body.stores !== undefined || header !== undefined)) {
    throw badRequest("All_stores parameter can't be used with x-image-meta-store header or stores parameter")
  }
  if (body.stores !== undefined && header !== undefined) throw badRequest("Stores parameter and x-image-meta-store header can't be both specified")
  if (body.all_stores) return stores.ids
  const asked = [...new Set(body.stores ?? [header ?? stores.defaultId].flat())]
  const unknown = asked.find((id) => !stores.find(id))
  if (unknown !== undefined) throw conflict(`Unknown store identifier '${unknown.slice(0, 60)}'.`)
  if (asked.length === 0) throw badRequest('At least one store must be named.')
  return asked
}

/** In which state an image must be for each method, and what it is told otherwise. */
const wanted: Record<ImportMethod, { status: images.Image['status'], else: string }> = {
  'glance-direct': { status: 'uploading', else: "Image needs to be staged before 'glance-direct' method can be used" },
  'web-download': { status: 'queued', else: "Image needs to be in 'queued' state to use 'web-download' method" },
  'glance-download': { status: 'queued', else: "Image needs to be in 'queued' state to use 'glance-download' method" },
  'copy-image': { status: 'active', else: 'Only images with status active can be targeted for copying' },
}

export const importImageData = operation({
  name: 'importImage', method: 'POST', path: '/images/{image_id}/import', summary: 'Bring staged data, what lies behind a URL, or an image of one store into stores.', status: 202,
  access: policy.changeImage, target: imageTarget,
  body: lenient({
    method: lenient({
      name: Type.String(), uri: Type.Optional(Type.String({ maxLength: 4096 })),
      glance_region: Type.Optional(Type.String({ maxLength: 255 })), glance_image_id: Type.Optional(Type.String({ maxLength: 64 })),
      glance_service_interface: Type.Optional(Type.String({ maxLength: 255 })),
    }),
    stores: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 })),
    all_stores: Type.Optional(Type.Boolean()), all_stores_must_succeed: Type.Optional(Type.Boolean()),
  }),
  faults: ['conflict', 'overQuota'],
  async handle(ctx, { target, body, headers }, deps) {
    const { store, config } = deps, { uri } = body.method
    const method = config.methods.find((each) => each === body.method.name)
    if (!method) throw badRequest(`Unknown import method name '${body.method.name.slice(0, 60)}'.`)
    const copying = method === 'copy-image'
    if (target.status === 'active' && !copying) throw conflict('Image with status active cannot be target for import')
    if (target.status !== wanted[method].status) throw conflict(wanted[method].else)
    if (target.containerFormat === null) throw conflict("'container_format' needs to be set before import")
    if (target.diskFormat === null) throw conflict("'disk_format' needs to be set before import")
    if (copying && !policy.manageImages.allows(ctx.actor)) throw forbidden('You are not authorized to complete copy_image action.')
    const asked = storesAsked(body, headers['x-image-meta-store'], deps)
    const there = target.locations.map((copy) => copy.store)
    if (copying && !body.all_stores) {
      for (const id of asked) if (there.includes(id)) throw badRequest(`Image is already present at store '${id}'`)
    }
    if (method === 'web-download') {
      if (uri === undefined) throw badRequest("'uri' needs to be set for web-download import method")
      checkUrl(uri, config.webDownload)
    }
    const from = method === 'glance-download' ? await otherImage(ctx, deps, body.method) : undefined
    const stores = copying ? asked.filter((id) => !there.includes(id)) : asked
    const taskId = newId()
    const admit = await quotaFor(ctx, deps, target.ownerId)
    if (from) deps.tokens.set(taskId, tokenIn(headers) ?? '')
    await store.tx(async (tx) => {
      // Only what comes from afar has no known size yet, and is still to be staged; what is staged counts as an upload already.
      const fromAfar = !copying && method !== 'glance-direct'
      await admit(tx, { image_size_total: (target.size ?? 0) * stores.length, ...(fromAfar && { image_count_uploading: 1, image_stage_total: 0 }) })
      if (method === 'glance-direct' && !(await stagedOf(tx, target.id)).whole) throw conflict('The staged data is not complete.')
      // In all stores already: said in the words clients wait for.
      const nothing = stores.length === 0
      const becomes = nothing ? { importingTo: '', failedImport: '' } : { importTaskId: taskId, ...(!copying && { status: 'importing' as const }) }
      const mine = await images.move(tx, target.id, { status: wanted[method].status, importTaskId: null, uploadId: null }, becomes)
      if (!mine) throw conflict(`New operation on image '${target.id}' is not permitted as prior operation is still in progress`)
      if (nothing) return
      const shown = { ...body, method: { ...body.method, ...(uri !== undefined && { uri: shownUrl(uri) }) } }
      const task = {
        id: taskId, type: 'api_image_import' as const, ownerId: ctx.actor.projectId ?? null, userId: ctx.actor.userId, requestId: ctx.requestId,
        imageId: target.id, input: JSON.stringify({ image_id: target.id, import_req: shown, backend: stores }),
      }
      const input: ImportInput = {
        imageId: target.id, taskId, method, stores, allMustSucceed: body.all_stores_must_succeed ?? true, plugins: config.plugins, madeImage: false, ...(from && { from }),
      }
      await begin(tx, ctx, deps, task, input, uri)
    }, { durable: true }).catch((error: unknown) => { deps.tokens.delete(taskId); throw error })
  },
})

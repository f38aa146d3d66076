// https://docs.openstack.org/api-ref/image/v2/#image-data: bytes in and out, streamed with back pressure.
import type { Readable } from 'node:stream'
import { Fault, badRequest, conflict, forbidden } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { after } from '#base/time.ts'
import { Reply } from '#kit/http/operation.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { admin, any, service } from '#kit/policy/rules.ts'
import { openCached } from '../cache/cache.ts'
import { operation, type Deps } from '../deps.ts'
import { diskSize, examine } from '../formats/examine.ts'
import { inspectBytes } from '../formats/inspect.ts'
import { quotaFor } from '../quota/limits.ts'
import { openCopy, storesNamed, unusedAt } from '../stores/bytes.ts'
import { addCopy } from '../stores/store.ts'
import * as policy from './policy.ts'
import { rangeOf } from './range.ts'
import * as images from './store.ts'
import { imageTarget } from './target.ts'

type Headers = Record<string, string | string[] | undefined>

/** How many bytes are to come, if that is known: by glance's own header or Content-Length. Both are checked before a byte is read. */
export function announcedSize(headers: Headers, { maxImageBytes }: Pick<Deps, 'maxImageBytes'>): number | undefined {
  if (!/^application\/octet-stream\b/.test(String(headers['content-type'] ?? 'application/octet-stream'))) {
    throw new Fault('unsupportedMediaType', 'Image data is sent as application/octet-stream.')
  }
  const own = headers['x-openstack-image-size']
  if (own !== undefined && !/^\d{1,15}$/.test(String(own))) throw badRequest('Invalid or missing image size in request headers.')
  for (const announced of [own, headers['content-length']]) {
    if (announced !== undefined && Number(announced) > maxImageBytes) throw new Fault('tooLarge', `An image may have at most ${maxImageBytes} bytes.`)
  }
  return own === undefined && headers['content-length'] === undefined ? undefined : Number(own ?? headers['content-length'])
}
/** Throws badRequest when what came is not what was announced. */
export const checkSize = (announced: number | undefined, size: number): void => {
  if (announced !== undefined && announced !== size) throw badRequest(`The data has ${size} bytes, where ${announced} were announced.`)
}

/** Runs an upload while showing that its process lives; afterwards anybody may take the image for abandoned. */
export async function showingLife<T>({ store, config: { uploadLeaseMs } }: Pick<Deps, 'store' | 'config'>, imageId: string, uploadId: string, work: () => Promise<T>): Promise<T> {
  const heart = setInterval(() => void store.tx((tx) => images.prolong(tx, imageId, uploadId, after(uploadLeaseMs))).catch(() => {}), uploadLeaseMs / 3).unref()
  try {
    return await work()
  } finally {
    clearInterval(heart)
  }
}

export const uploadImage = operation({
  name: 'uploadImage', method: 'PUT', path: '/images/{image_id}/file', summary: 'Upload the image\'s data.', status: 204,
  access: policy.changeImage, target: imageTarget, body: 'stream',
  faults: ['conflict', 'gone', 'tooLarge', 'unsupportedMediaType', 'overQuota'],
  async handle(ctx, { target, stream, headers }, deps) {
    const { store, stores, maxImageBytes, config } = deps
    const announced = announcedSize(headers, deps), { diskFormat, containerFormat } = target
    if (diskFormat === null || containerFormat === null) throw badRequest('Properties disk_format, container_format must be set prior to saving data.')
    const [id = stores.defaultId] = storesNamed(deps, [headers['x-image-meta-store'] ?? []].flat())
    const uploadId = newId(), admit = await quotaFor(ctx, deps, target.ownerId)
    if (!await store.tx(async (tx) => {
      await admit(tx, { image_count_uploading: 1, image_size_total: announced ?? 0 })
      // As what the bytes are looked at is what the image stays: from here on nobody changes its formats, and until here somebody may have.
      return images.move(tx, target.id, { status: 'queued', diskFormat, containerFormat }, { status: 'saving', uploadId, uploadUntil: after(config.uploadLeaseMs) })
    })) {
      throw conflict(target.status === 'queued' ? 'The image was changed by somebody else meanwhile. Try again.' : `Image status transition from ${target.status} to saving is not allowed`)
    }
    let virtualSize: number | null = null
    try {
      await showingLife(deps, target.id, uploadId, () => stores.blobs(id)!.put(ctx, stream, {
        maxBytes: maxImageBytes, inspectBytes, unused: unusedAt(deps, { store: id }),
        inspect(firstBytes) { virtualSize = examine({ diskFormat, containerFormat }, firstBytes) },
        async keep({ size, location, md5, sha512 }) {
          checkSize(announced, size)
          await store.tx(async (tx) => {
            const kept = await images.move(tx, target.id, { status: 'saving', uploadId }, {
              ...images.noData, status: 'active', size, virtualSize: diskSize(containerFormat, virtualSize, size), checksum: md5, osHashAlgo: 'sha512', osHashValue: sha512,
            })
            if (!kept) throw new Fault('gone', `Image ${target.id} was deleted while its data was being uploaded.`)
            await addCopy(tx, { imageId: target.id, store: id, location, taskId: null })
          }, { durable: true })
        },
      }))
    } catch (error) {
      await store.tx((tx) => images.move(tx, target.id, { status: 'saving', uploadId }, { ...images.noData, status: 'queued' }))
      throw error
    }
  },
})

export const downloadImage = operation({
  name: 'downloadImage', method: 'GET', path: '/images/{image_id}/file', summary: 'Download the image\'s data, or a range of it.',
  access: policy.downloadImage, target: imageTarget, query: lenient({ prefer: Type.Optional(Type.String({ maxLength: 1000 })) }),
  faults: ['rangeNotSatisfiable'],
  async handle(ctx, { target, headers, query }, deps) {
    if (target.status === 'deactivated' && !any(admin, service).allows(ctx.actor)) throw forbidden('The requested image has been deactivated. Image data download is forbidden.')
    const prefer = storesNamed(deps, (query.prefer ?? '').split(',').map((id) => id.trim()).filter((id) => id !== ''))
    const { size } = target
    if (size === null || target.locations.length === 0) return new Reply({ status: 204 })
    const range = rangeOf(headers, size)
    const body: Readable = await openCached(ctx, deps, target.id, range) ?? await openCopy(ctx, deps, target.locations, range, prefer)
    return new Reply({
      status: range ? 206 : 200, body,
      headers: {
        'content-type': 'application/octet-stream', 'content-length': String(range ? range.end - range.start + 1 : size), 'accept-ranges': 'bytes',
        ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }), ...(target.checksum !== null && { 'content-md5': target.checksum }),
      },
    })
  },
})

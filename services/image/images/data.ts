// https://docs.openstack.org/api-ref/image/v2/#image-data: bytes in and out, streamed with back pressure.
import { Fault, badRequest, conflict, forbidden } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { Reply } from '#kit/http/operation.ts'
import { admin, any, service } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import { inspect, inspectBytes, refuse } from '../formats/inspect.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageTarget } from './target.ts'

export const uploadImage = operation({
  name: 'uploadImage', method: 'PUT', path: '/images/{image_id}/file', summary: 'Upload the image\'s data.', status: 204,
  access: policy.changeImage, target: imageTarget, body: 'stream',
  async handle(ctx, { target, stream, headers }, { store, blobs, maxImageBytes }) {
    if (!/^application\/octet-stream\b/.test(String(headers['content-type'] ?? 'application/octet-stream'))) throw new Fault('unsupportedMediaType', 'Image data is sent as application/octet-stream.')
    if (Number(headers['content-length'] ?? 0) > maxImageBytes) throw new Fault('tooLarge', `An image may have at most ${maxImageBytes} bytes.`)
    if (target.diskFormat === null || target.containerFormat === null) throw badRequest('Properties disk_format, container_format must be set prior to saving data.')
    const uploadId = newId()
    if (!await store.tx((tx) => images.move(tx, target.id, { status: 'queued' }, { status: 'saving', uploadId }))) throw conflict(`Image status transition from ${target.status} to saving is not allowed`)
    let virtualSize: number | null = null
    try {
      await blobs.put(ctx, stream, {
        maxBytes: maxImageBytes, inspectBytes,
        // Only what hypervisors would open is looked into: a container such as a docker layer is kept as it came.
        inspect(firstBytes) {
          if (target.containerFormat !== 'bare') return
          const seen = inspect(firstBytes)
          refuse(target.diskFormat!, seen)
          virtualSize = seen.virtualSize ?? null
        },
        async keep(stored) {
          const kept = await store.tx((tx) => images.move(tx, target.id, { status: 'saving', uploadId }, {
            status: 'active', uploadId: null, location: stored.location, size: stored.size, virtualSize: virtualSize ?? stored.size, checksum: stored.md5, osHashAlgo: 'sha512', osHashValue: stored.sha512,
          }), { durable: true })
          if (!kept) throw conflict('The image was deleted while its data was being uploaded.')
        },
      })
    } catch (error) {
      await store.tx((tx) => images.move(tx, target.id, { status: 'saving', uploadId }, { status: 'queued', uploadId: null, size: null }))
      throw error
    }
  },
})

const rangeOf = (header: string | undefined, size: number): { start: number, end: number } | undefined => {
  if (header === undefined) return undefined
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  const wrong = (): Error => new Fault('rangeNotSatisfiable', `Invalid range request '${header.slice(0, 60)}'`, { headers: { 'content-range': `bytes */${size}` } })
  if (!match || (match[1] === '' && match[2] === '')) throw wrong()
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]))
  if (start > end || start >= size) throw wrong()
  return { start, end }
}

export const downloadImage = operation({
  name: 'downloadImage', method: 'GET', path: '/images/{image_id}/file', summary: 'Download the image\'s data, or a range of it.',
  access: policy.seeImage, target: imageTarget,
  async handle(ctx, { target, headers }, { blobs }) {
    if (target.status === 'deactivated' && !any(admin, service).allows(ctx.actor)) throw forbidden('The requested image has been deactivated. Image data download is forbidden.')
    if (target.location === null || target.size === null) return new Reply({ status: 204 })
    const range = rangeOf(headers.range as string | undefined, target.size)
    const body = await blobs.get(ctx, target.location, range)
    return new Reply({
      status: range ? 206 : 200, body,
      headers: {
        'content-type': 'application/octet-stream', 'content-length': String(range ? range.end - range.start + 1 : target.size), 'accept-ranges': 'bytes',
        ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${target.size}` } : { 'content-md5': target.checksum! }),
      },
    })
  },
})

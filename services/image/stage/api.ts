// https://docs.openstack.org/api-ref/image/v2/#stage-binary-image-data, and Pileus's own extension of it: an upload in pieces, which may break off and go on (README.md).
import { Readable } from 'node:stream'
import { Fault, badRequest, conflict, isFault, notFound } from '#base/errors.ts'
import { chunksOf } from '#base/chunks.ts'
import { newId } from '#base/ids.ts'
import { after } from '#base/time.ts'
import { Reply } from '#kit/http/operation.ts'
import { operation, type Deps, type ImageTx } from '../deps.ts'
import { announcedSize, checkSize, showingLife } from '../images/data.ts'
import * as policy from '../images/policy.ts'
import * as images from '../images/store.ts'
import { imageTarget } from '../images/target.ts'
import { quotaFor } from '../quota/limits.ts'
import { unusedAt } from '../stores/bytes.ts'
import { dropParts, stagedOf } from './staged.ts'
import { addPart, takeParts } from './store.ts'

const enabled = ({ config }: Pick<Deps, 'config'>): void => {
  if (!config.methods.includes('glance-direct')) throw notFound("'glance-direct' method is not available at this site.")
}
const mostParts = 1000

export const stageImage = operation({
  name: 'stageImage', method: 'PUT', path: '/images/{image_id}/stage', summary: 'Upload data that an import will take.', status: 204,
  access: policy.changeImage, target: imageTarget, body: 'stream',
  faults: ['conflict', 'unsupportedMediaType', 'overQuota'],
  async handle(ctx, { target, stream, headers }, deps) {
    const { store, staging, maxImageBytes, config } = deps
    enabled(deps)
    const announced = announcedSize(headers, deps), uploadId = newId(), admit = await quotaFor(ctx, deps, target.ownerId)
    if (!await store.tx(async (tx) => {
      await admit(tx, { image_count_uploading: 1, image_stage_total: announced ?? 0 })
      return images.move(tx, target.id, { status: 'queued' }, { status: 'uploading', uploadId, uploadUntil: after(config.uploadLeaseMs) })
    })) {
      throw conflict(`Image status transition from ${target.status} to uploading is not allowed`)
    }
    try {
      await showingLife(deps, target.id, uploadId, () => staging.put(ctx, stream, {
        maxBytes: maxImageBytes, unused: unusedAt(deps, 'staging'),
        async keep({ size, location }) {
          checkSize(announced, size)
          await store.tx(async (tx) => {
            if (!await images.move(tx, target.id, { status: 'uploading', uploadId }, { uploadId: null, uploadUntil: null, size })) {
              throw new Fault('gone', `Image ${target.id} was deleted while its data was being uploaded.`)
            }
            await addPart(tx, { imageId: target.id, form: 0, startAt: 0, size, location, last: 1 })
          }, { durable: true })
        },
      }))
    } catch (error) {
      await store.tx((tx) => images.move(tx, target.id, { status: 'uploading', uploadId }, { ...images.noData, status: 'queued' }))
      throw error
    }
  },
})

/** The structured boolean of RFC 9651. */
const truth = (name: string, value: string | string[] | undefined): boolean => {
  if (value !== undefined && value !== '?0' && value !== '?1') throw badRequest(`The header ${name} is ?0 or ?1.`)
  return value === '?1'
}
const stageView = (size: number, whole: boolean): Record<string, string> => ({ 'upload-offset': String(size), 'upload-complete': whole ? '?1' : '?0' })

/** What came before the sender broke off counts as sent, unless somebody says that it shall not; `ended` says whether all came. */
function untilBroken(body: Readable, signal: AbortSignal): { bytes: Readable, ended(): boolean } {
  let ended = false
  const bytes = Readable.from((async function* () {
    const coming = chunksOf(body)
    let stop = (): void => {}
    signal.addEventListener('abort', () => stop(), { once: true })
    // Not waiting for a sender who is silent.
    const next = (): Promise<IteratorResult<Buffer>> => new Promise((resolve, reject) => {
      stop = () => reject(conflict('Another piece was begun, and this one given up.', { type: 'Stopped' }))
      if (signal.aborted) stop()
      coming.next().then(resolve, reject)
    })
    try {
      for (let chunk = await next(); !chunk.done; chunk = await next()) yield chunk.value
      ended = true
    } catch (error) {
      if (!isFault(error) || error.type !== 'BrokenUpload') throw error
    } finally {
      coming.return(undefined).catch(() => {})
    }
  })(), { objectMode: false, highWaterMark: 1024 ** 2 })
  return { bytes, ended: () => ended }
}

/** The piece of each image that this process is receiving. */
const underWay = new Map<string, AbortController>()

export const appendToStage = operation({
  name: 'appendToStage', method: 'PATCH', path: '/images/{image_id}/stage',
  summary: 'Add a piece to the staged data, at Upload-Offset; the last one says Upload-Complete: ?1. Pileus\'s own.', status: 204,
  access: policy.changeImage, target: imageTarget, body: 'stream',
  faults: ['conflict', 'tooLarge', 'overQuota'],
  async handle(ctx, { target, stream, headers }, deps) {
    const { store, staging, maxImageBytes } = deps
    enabled(deps)
    if (!/^\d{1,15}$/.test(String(headers['upload-offset'] ?? ''))) throw badRequest('The header Upload-Offset says how many bytes came before this piece.')
    const startAt = Number(headers['upload-offset']), complete = truth('Upload-Complete', headers['upload-complete'])
    const check = async (tx: ImageTx): Promise<void> => {
      const staged = await stagedOf(tx, target.id)
      const wrong = (why: string): Error => new Fault('conflict', why, { headers: stageView(staged.size, staged.whole) })
      if (staged.whole) throw wrong('The staged data is complete already.')
      if (staged.size !== startAt) throw wrong(`The next piece begins at ${staged.size}, not at ${startAt}.`)
      if (staged.parts.length >= mostParts) throw wrong(`Staged data has at most ${mostParts} pieces; send larger ones.`)
    }
    if (target.status !== 'queued' && target.status !== 'uploading') throw conflict(`Image status transition from ${target.status} to uploading is not allowed`)
    // Before the bytes come, to spare the sender their sending; what counts is asked again when they are written down.
    await store.read(check)
    announcedSize({ 'content-length': headers['content-length'] }, { maxImageBytes: maxImageBytes - startAt })
    const open = { status: ['queued', 'uploading'] as never, uploadId: null, importTaskId: null }, admit = await quotaFor(ctx, deps, target.ownerId)
    // An upload from its first byte on, as one in a single piece: else as many as one likes would pass the limit, none of them having come to an end.
    if (!await store.tx(async (tx) => {
      const uploads = (await images.find(tx, target.id))?.status === 'queued' ? 1 : 0
      await admit(tx, { image_count_uploading: uploads, image_stage_total: Number(headers['content-length'] ?? 0) })
      return images.move(tx, target.id, open, { status: 'uploading' })
    })) {
      throw conflict('The image was deleted, or is being imported.')
    }
    const mine = new AbortController(), { bytes, ended } = untilBroken(stream, mine.signal)
    // Whoever begins anew has given up the one before, though it may be a while until its broken line is noticed.
    underWay.get(target.id)?.abort()
    underWay.set(target.id, mine)
    const receiving = staging.put(ctx, bytes, {
      maxBytes: maxImageBytes - startAt, unused: unusedAt(deps, 'staging'),
      keep: async ({ size, location }) => {
        const last = complete && ended()
        if (size === 0 && !last) throw badRequest('A piece without bytes adds nothing.')
        await store.tx(async (tx) => {
          await admit(tx, { image_stage_total: size })
          // Whoever drops what is staged, or adds to it, comes before or after: a piece must not stand where nothing is before it.
          await images.lock(tx, target.id)
          await check(tx)
          // One that is uploaded in one piece, or imported, is no longer ours.
          if (!await images.move(tx, target.id, open, { status: 'uploading', size: last ? startAt + size : null })) {
            throw conflict('The image was deleted, or is being imported.')
          }
          await addPart(tx, { imageId: target.id, form: 0, startAt, size, location, last: last ? 1 : 0 })
        }, { durable: true })
      },
    })
    const { size } = await receiving.catch(async (error: unknown) => {
      // With nothing staged it is no upload.
      if (underWay.get(target.id) === mine) await store.tx(async (tx) => {
        await images.lock(tx, target.id)
        if ((await stagedOf(tx, target.id)).parts.length === 0) await images.move(tx, target.id, { status: 'uploading', uploadId: null, importTaskId: null }, { ...images.noData, status: 'queued' })
      })
      throw error
    }).finally(() => { if (underWay.get(target.id) === mine) underWay.delete(target.id) })
    return new Reply({ status: 204, headers: stageView(startAt + size, complete && ended()) })
  },
})

export const showStage = operation({
  name: 'showStage', method: 'GET', path: '/images/{image_id}/stage', summary: 'How much of the data is staged. Pileus\'s own; HEAD answers the headers alone.',
  access: policy.changeImage, target: imageTarget,
  async handle(_ctx, { target }, { store }) {
    const { size, whole, parts } = await store.read((tx) => stagedOf(tx, target.id))
    return new Reply({ body: { offset: size, complete: whole, pieces: parts.length }, headers: { ...stageView(size, whole), 'cache-control': 'no-store' } })
  },
})

export const removeStage = operation({
  name: 'removeStage', method: 'DELETE', path: '/images/{image_id}/stage', summary: 'Drop the staged data: the image is queued again. Pileus\'s own.', status: 204,
  access: policy.changeImage, target: imageTarget,
  faults: ['conflict'],
  async handle(ctx, { target }, deps) {
    await dropParts(ctx, deps, await deps.store.tx(async (tx) => {
      if (!await images.move(tx, target.id, { status: 'uploading', uploadId: null, importTaskId: null }, { ...images.noData, status: 'queued' })) {
        throw conflict(`An image in status ${target.status} has no staged data to drop.`)
      }
      return takeParts(tx, target.id)
    }))
  },
})

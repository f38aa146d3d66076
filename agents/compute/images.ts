// The node's image cache: one file an image's content, shared by all guests made of it, never undone.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { access, chmod, link, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isLookedInto } from '#base/containers.ts'
import type { Context } from '#base/context.ts'
import { conflict, unavailable } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { BaseImage } from '#drivers/hypervisor/contract.ts'
import type { ServiceClient } from '#kit/http/client.ts'

interface ImageFacts { id: string, status: string, disk_format: string | null, container_format: string | null, size: number | null, os_hash_value: string | null, os_hash_algo: string | null }

export interface ImageCacheOptions {
  dir: string
  image: ServiceClient
  /** False for drivers that boot nothing (the fake): the image service is asked all the same, and no bytes are moved. */
  bytes: boolean
  /** Where the file of a stored image may be, where this host shares the image service's disks. */
  localPaths?: (hash: string) => string[]
}

export interface ImageCache {
  /** Asks the image service in the user's name, and has the bytes on this host. Formats are the declared ones. */
  have(ctx: Context, imageId: string): Promise<BaseImage>
}

export function openImageCache({ dir, image, bytes, localPaths }: ImageCacheOptions): ImageCache {
  const fetching = new Map<string, Promise<void>>()

  async function fetch(ctx: Context, facts: ImageFacts, path: string): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o755 })
    const part = `${path}.${newId()}.part`
    try {
      let linked = false
      for (const shared of localPaths?.(facts.os_hash_value!) ?? []) linked ||= await link(shared, part).then(() => true, () => false)
      if (!linked) {
        const { body } = await image.call<Readable>(ctx, 'downloadImage', { params: { image_id: facts.id } })
        if (!(body instanceof Readable)) throw conflict(`Image ${facts.id} has no data.`)
        const hash = createHash(facts.os_hash_algo ?? 'sha512')
        const tap = new Transform({ transform(chunk, _encoding, next) { hash.update(chunk as Buffer); next(null, chunk) } })
        await pipeline(body, tap, createWriteStream(part, { flags: 'wx', mode: 0o444, flush: true }))
        if (hash.digest('hex') !== facts.os_hash_value) throw unavailable(`Image ${facts.id} arrived damaged.`)
      }
      await chmod(part, 0o444)
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  return {
    async have(ctx, imageId) {
      const { body } = await ctx.span('agent.ask-image', () => image.call<ImageFacts>(ctx, 'showImage', { params: { image_id: imageId } }))
      if (body.status !== 'active') throw conflict(`Image ${imageId} is not active.`)
      const format = body.disk_format === 'qcow2' ? 'qcow2' : body.disk_format === 'raw' || body.disk_format === 'ami' || body.disk_format === 'iso' ? 'raw' : undefined
      // The request was asked the same: who opens it asks for himself.
      if (!isLookedInto(body.container_format)) throw conflict(`This host cannot boot images in a container of the format ${body.container_format}.`)
      if (!format) throw conflict(`This host cannot boot images of format ${body.disk_format}.`)
      if (!body.os_hash_value || !/^[0-9a-f]{32,128}$/.test(body.os_hash_value)) throw conflict(`Image ${imageId} has no hash.`)
      const path = join(dir, `${body.os_hash_value}.${format}`)
      await ctx.span('agent.have-image', async () => {
        if (!bytes || await access(path).then(() => true, () => false)) return
        // Many guests of one image: one transfer.
        let running = fetching.get(path)
        if (!running) fetching.set(path, running = fetch(ctx, body, path).finally(() => fetching.delete(path)))
        await running
      }, { tenant: { image: imageId } })
      return { path, format }
    },
  }
}

// Blobs as files named by their sha512 below one directory.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { notFound, tooLarge, unavailable } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { MIB } from '#base/units.ts'
import { Serial } from '#base/serial.ts'
import type { BlobStore, Stored } from '../contract.ts'

export interface FileConfig { dir: string }

export async function openFileBlobs({ dir }: FileConfig): Promise<BlobStore> {
  const parts = join(dir, 'parts')
  // What a dead process was receiving is worth nothing.
  await rm(parts, { recursive: true, force: true })
  await mkdir(parts, { recursive: true, mode: 0o711 })
  const turns = new Serial()
  const pathOf = (location: string): string => join(dir, location.slice(0, 2), location)

  return {
    name: 'file',
    async put(_ctx, body, { maxBytes, inspect, inspectBytes = 0, keep }) {
      const part = join(parts, newId())
      const md5 = createHash('md5'), sha512 = createHash('sha512')
      let size = 0, head: Buffer[] | undefined = inspect ? [] : undefined
      const look = (): void => { if (head) { const first = Buffer.concat(head); head = undefined; inspect!(first.subarray(0, inspectBytes)) } }
      const tap = new Transform({
        highWaterMark: MIB,
        transform(chunk: Buffer, _encoding, next) {
          try {
            size += chunk.length
            if (size > maxBytes) throw tooLarge(`The data is larger than the ${maxBytes} bytes allowed.`)
            if (head) { head.push(chunk); if (size >= inspectBytes) look() }
            md5.update(chunk); sha512.update(chunk)
            next(null, chunk)
          } catch (error) { next(error as Error) }
        },
        flush(next) { try { look(); next() } catch (error) { next(error as Error) } },
      })
      try {
        await pipeline(body, tap, createWriteStream(part, { flags: 'wx', mode: 0o444, highWaterMark: MIB, flush: true }))
        const stored: Stored = { location: sha512.digest('hex'), size, md5: md5.digest('hex'), sha512: '' }
        stored.sha512 = stored.location
        await turns.run(stored.location, async () => {
          const path = pathOf(stored.location)
          const there = await stat(path).then((s) => s.size === size, () => false)
          if (!there) {
            await mkdir(join(path, '..'), { recursive: true, mode: 0o711 })
            await rename(part, path)
            const folder = await open(join(path, '..'))
            await folder.sync().finally(() => folder.close())
          }
          try {
            await keep?.(stored)
          } catch (error) {
            if (!there) await rm(path, { force: true })
            throw error
          }
        })
        return stored
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOSPC' || code === 'EDQUOT') throw unavailable('There is no space left to keep the data.', { cause: error })
        throw error
      } finally {
        await rm(part, { force: true })
      }
    },
    async get(_ctx, location, range) {
      const handle = await open(pathOf(location)).catch((error: NodeJS.ErrnoException) => { throw error.code === 'ENOENT' ? notFound('The data is not there.', { cause: error }) : error })
      return createReadStream('', { fd: handle, highWaterMark: MIB, ...range })
    },
    localPath: (location) => pathOf(location),
    remove: (_ctx, location, unused) => turns.run(location, async () => { if (await unused()) await rm(pathOf(location), { force: true }) }),
    async list() {
      const out: { location: string, size: number }[] = []
      for (const folder of await readdir(dir)) {
        if (!/^[0-9a-f]{2}$/.test(folder)) continue
        for (const location of await readdir(join(dir, folder))) out.push({ location, size: (await stat(join(dir, folder, location))).size })
      }
      return out
    },
    async close() {},
  }
}

// Blobs as files named by their sha512 below one directory: `ab/abcd…`. What is being received lies in `incoming/` under the name of the process that receives it.
// One process at a time keeps and removes; others on this host may read.
import type { Stats } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import { notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { Serial } from '#base/serial.ts'
import { MIB } from '#base/units.ts'
import { diskFault, isMissing } from '#host/files.ts'
import { isRunning, startOf } from '#host/processes.ts'
import type { BlobStore, PutOptions, Stored } from '../contract.ts'
import { receive } from './receive.ts'

export interface FileConfig { dir: string }

const locations = /^[0-9a-f]{128}$/
/** Guests' processes pass through to files they are handed; nobody may list. */
const folderMode = 0o711, fileMode = 0o444

const missing = (error: unknown): undefined => { if (!isMissing(error)) throw error }
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}

class FileBlobs implements BlobStore {
  readonly name = 'file'
  readonly #dir: string
  readonly #incoming: string
  readonly #owner: string
  /** By location: what keeps and what removes the same bytes take turns. */
  readonly #turns = new Serial()

  constructor(dir: string, owner: string) {
    this.#dir = dir
    this.#incoming = join(dir, 'incoming')
    this.#owner = owner
  }

  async put(_ctx: Context, body: Readable, options: PutOptions): Promise<Stored> {
    const part = join(this.#incoming, `${this.#owner}-${newId()}`)
    try {
      const file = await open(part, 'wx', 0o600)
      const { size, md5, sha512 } = await receive(body, file, options).finally(() => file.close())
      const stored: Stored = { location: sha512, size, md5, sha512 }
      await this.#turns.run(sha512, () => this.#place(part, stored, options.keep))
      return stored
    } catch (error) {
      throw diskFault(error)
    } finally {
      await rm(part, { force: true })
    }
  }

  async #place(part: string, stored: Stored, keep: PutOptions['keep']): Promise<void> {
    const path = this.localPath(stored.location)
    const there = await stat(path).then((file: Stats) => file.size === stored.size, missing)
    if (!there) {
      const handle = await open(part)
      await handle.chmod(fileMode).finally(() => handle.close())
      if (await mkdir(dirname(path), { recursive: true, mode: folderMode })) await syncFolder(this.#dir)
      await rename(part, path)
      await syncFolder(dirname(path))
    }
    try {
      await keep?.(stored)
    } catch (error) {
      if (!there) await rm(path, { force: true })
      throw error
    }
  }

  async get(_ctx: Context, location: string, range?: { start: number, end: number }): Promise<Readable> {
    const file = locations.test(location) ? await open(this.localPath(location)).catch(missing) : undefined
    if (!file) throw notFound('The data is not there.')
    return file.createReadStream({ highWaterMark: MIB, ...range })
  }

  localPath(location: string): string { return join(this.#dir, location.slice(0, 2), location) }

  async remove(_ctx: Context, location: string, unused: () => Promise<boolean>): Promise<void> {
    if (!locations.test(location)) return
    await this.#turns.run(location, async () => { if (await unused()) await rm(this.localPath(location), { force: true }) })
  }

  async list(): Promise<{ location: string, size: number }[]> {
    const found: { location: string, size: number }[] = []
    for (const folder of await readdir(this.#dir)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      for (const location of await readdir(join(this.#dir, folder))) {
        const file = locations.test(location) ? await stat(join(this.#dir, folder, location)).catch(missing) : undefined
        if (file) found.push({ location, size: file.size })
      }
    }
    return found
  }

  close(): Promise<void> { return this.#turns.idle() }
}

/** Opens the store, making its directory; what dead processes were receiving is removed. */
export async function openFileBlobs({ dir }: FileConfig): Promise<BlobStore> {
  const incoming = join(dir, 'incoming')
  await mkdir(incoming, { recursive: true, mode: folderMode })
  for (const name of await readdir(incoming)) {
    const [pid, startTicks] = name.split('-').map(Number)
    if (!pid || !startTicks || !await isRunning({ pid, startTicks })) await rm(join(incoming, name), { recursive: true, force: true })
  }
  return new FileBlobs(dir, `${process.pid}-${await startOf(process.pid)}`)
}

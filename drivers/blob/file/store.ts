// Blobs as files named by their sha512 below one directory: `ab/abcd…`. What is being received lies in `incoming/` under the name of the process that receives it.
// Any number of processes may keep and remove in one directory. Two that meant the same bytes at the same moment would else lose them: one sees that nobody refers to them, the other
// writes down that he does, the first removes. So who removes first moves the file aside and asks once more: a reference written before the moving is seen by him, and who wrote one
// after it looks whether the file is still there, and puts his own copy back.
import type { Stats } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import { notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { Serial } from '#base/serial.ts'
import { MIB } from '#base/units.ts'
import { diskFault, isExisting, isMissing } from '#host/files.ts'
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

/** The name of what a process works on; others may tell whether it lives, on the same host. */
const separator = '~'

class FileBlobs implements BlobStore {
  readonly name = 'file'
  readonly #dir: string
  readonly #incoming: string
  readonly #aside: string
  readonly #owner: string
  /** By location: what keeps and what removes the same bytes take turns. */
  readonly #turns = new Serial()

  constructor(dir: string, owner: string) {
    this.#dir = dir
    this.#incoming = join(dir, 'incoming')
    this.#aside = join(dir, 'aside')
    this.#owner = owner
  }

  async put(_ctx: Context, body: Readable, options: PutOptions): Promise<Stored> {
    let part = join(this.#incoming, [this.#owner, newId()].join(separator))
    try {
      const file = await open(part, 'wx', 0o600)
      const { size, md5, sha512 } = await receive(body, file, options).finally(() => file.close())
      const stored: Stored = { location: sha512, size, md5, sha512 }
      // From here on its name says what may lie in place with nobody knowing whose it is, should we die: see `recover`.
      const named = [part, sha512].join(separator)
      await rename(part, named)
      part = named
      await this.#turns.run(sha512, () => this.#keep(named, stored, options))
      return stored
    } catch (error) {
      throw diskFault(error)
    } finally {
      await rm(part, { force: true })
    }
  }

  async #keep(part: string, stored: Stored, { keep, unused }: PutOptions): Promise<void> {
    const wasThere = await this.#place(part, stored)
    try {
      await keep?.(stored)
    } catch (error) {
      await this.#removeUnused(stored.location, async () => unused ? unused(stored.location) : !wasThere)
      throw error
    }
    // Whoever moved it aside before the reference was written did not see it.
    if (keep) await this.#place(part, stored)
  }

  /** Puts the bytes under their name, and keeps `part`; answers whether they were there. */
  async #place(part: string, { location, size }: Stored): Promise<boolean> {
    const path = this.localPath(location), fresh = `${part}.new`
    if (await stat(path).then((file: Stats) => file.size === size, missing)) return true
    const handle = await open(part)
    await handle.chmod(fileMode).finally(() => handle.close())
    if (await mkdir(dirname(path), { recursive: true, mode: folderMode })) await syncFolder(this.#dir)
    await link(part, fresh)
    await rename(fresh, path)
    await rm(fresh, { force: true }) // renaming onto the same file leaves both
    await syncFolder(dirname(path))
    return false
  }

  async get(_ctx: Context, location: string, range?: { start: number, end: number }): Promise<Readable> {
    const file = locations.test(location) ? await this.#open(location) : undefined
    if (!file) throw notFound('The data is not there.')
    return file.createReadStream({ highWaterMark: MIB, ...range })
  }

  /** Also what somebody has moved aside just now: perhaps he puts it back. */
  async #open(location: string): Promise<FileHandle | undefined> {
    const file = await open(this.localPath(location)).catch(missing)
    if (file) return file
    for (const name of (await readdir(this.#aside)).filter((each) => each.startsWith(location))) {
      const aside = await open(join(this.#aside, name)).catch(missing)
      if (aside) return aside
    }
    return open(this.localPath(location)).catch(missing)
  }

  localPath(location: string): string { return join(this.#dir, location.slice(0, 2), location) }

  async remove(_ctx: Context, location: string, unused: () => Promise<boolean>): Promise<void> {
    if (!locations.test(location)) return
    await this.#turns.run(location, () => this.#removeUnused(location, unused))
  }

  async #removeUnused(location: string, unused: () => Promise<boolean>): Promise<void> {
    if (!await unused()) return
    const path = this.localPath(location), aside = join(this.#aside, [location, this.#owner, newId()].join(separator))
    if (!await rename(path, aside).then(() => true, missing)) return
    // When the answer cannot be had, the bytes stay.
    const gone = await unused().catch(async (error: unknown) => { await putBack(aside, path); throw error })
    if (gone) await rm(aside, { force: true })
    else await putBack(aside, path)
  }

  async recover(ctx: Context, unused: (location: string) => Promise<boolean>): Promise<void> {
    for (const name of await readdir(this.#incoming)) {
      const location = await leftBehind(name)
      if (location === undefined) continue
      await this.remove(ctx, location, () => unused(location))
      await rm(join(this.#incoming, name), { force: true })
    }
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

/** Is that process of this host dead? Of another host's, nobody here knows. */
const isDead = async (host: string | undefined, pid: string | undefined, startTicks: string | undefined): Promise<boolean> =>
  host === undefined || (host === hostname() && !await isRunning({ pid: Number(pid), startTicks: Number(startTicks) }))
/** What a dead process was keeping, by the name of its file in `incoming/`; empty when it had not come that far, undefined when it lives. */
async function leftBehind(name: string): Promise<string | undefined> {
  const [host, pid, startTicks, , location = ''] = name.includes(separator) ? name.split(separator) : []
  return await isDead(host, pid, startTicks) ? (locations.test(location) ? location : '') : undefined
}

async function putBack(aside: string, path: string): Promise<void> {
  await link(aside, path).catch((error: unknown) => { if (!isExisting(error)) throw error })
  await rm(aside, { force: true })
}

/** Opens the store, making its directory; what dead processes of this host were receiving is removed, what they were removing is put back. */
export async function openFileBlobs({ dir }: FileConfig): Promise<BlobStore> {
  const incoming = join(dir, 'incoming'), aside = join(dir, 'aside')
  for (const path of [incoming, aside]) await mkdir(path, { recursive: true, mode: folderMode })
  for (const name of await readdir(incoming)) if (await leftBehind(name) === '') await rm(join(incoming, name), { recursive: true, force: true })
  const store = new FileBlobs(dir, [hostname(), process.pid, await startOf(process.pid)].join(separator))
  for (const name of await readdir(aside)) {
    const [location = '', host, pid, startTicks] = name.split(separator)
    if (locations.test(location) && await isDead(host, pid, startTicks)) await putBack(join(aside, name), store.localPath(location)).catch(missing)
  }
  return store
}

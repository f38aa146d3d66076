// A uid for each instance: what keeps one guest's process from another's if it breaks out of its machine. A claim is a file named after the instance.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unavailable } from '#base/errors.ts'
import { ensureDirectory, readText, removeFile, writeAtomic } from '#host/files.ts'

export interface Uids {
  /** The same answer until `release`. */
  claim(id: string): Promise<number>
  /** Only when nothing runs as it any more. */
  release(id: string): Promise<void>
}

/** Hands out uids of [first, first + count); starts looking at a place derived from the id, so that a freed uid is not taken up at once. */
export function uidsIn(directory: string, first: number, count: number): Uids {
  const claimed = new Map<string, number>()
  let loading: Promise<void> | undefined
  const load = async (): Promise<void> => {
    await ensureDirectory(directory)
    await Promise.all((await readdir(directory)).filter(name => !name.endsWith('.tmp')).map(async id => {
      const uid = Number(await readText(join(directory, id)))
      if (uid > 0) claimed.set(id, uid)
    }))
  }
  return {
    async claim(id) {
      await (loading ??= load())
      const known = claimed.get(id)
      if (known !== undefined) return known
      const used = new Set(claimed.values())
      const start = createHash('sha256').update(id).digest().readUInt32BE(0)
      for (let n = 0; n < count; n++) {
        const uid = first + (start + n) % count
        if (used.has(uid)) continue
        claimed.set(id, uid) // before the first await: two claims at once must differ
        try {
          await writeAtomic(join(directory, id), String(uid))
        } catch (error) {
          claimed.delete(id)
          throw error
        }
        return uid
      }
      throw unavailable('The host has no user id left for another instance')
    },
    async release(id) {
      await (loading ??= load())
      await removeFile(join(directory, id))
      claimed.delete(id)
    },
  }
}

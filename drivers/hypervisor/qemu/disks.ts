// An instance's files: the overlay on its image, its config drive. Each is made under another name first: what has the real name is whole.
import { rename } from 'node:fs/promises'
import { stat } from 'node:fs/promises'
import { badRequest, unavailable } from '#base/errors.ts'
import { GIB } from '#base/units.ts'
import { isMissing, removeFile, writeAtomic } from '#host/files.ts'
import { isoImage } from '#host/iso.ts'
import { createOverlay, virtualSizeBytes } from '#host/qemu-img.ts'
import type { InstanceSpec } from '../contract.ts'
import type { Layout } from './records.ts'

const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, error => { if (isMissing(error)) return false; throw error })

/** Makes the root disk unless it is there: a disk that exists holds the user's data and is never made anew. */
export async function ensureDisk(layout: Layout, { base, sizeGib }: InstanceSpec['rootDisk']): Promise<void> {
  if (await isThere(layout.disk)) return
  const imageBytes = await virtualSizeBytes(base.path, base.format).catch(error => {
    if (isMissing(error)) throw unavailable('The image is not in the host\'s cache', { cause: error })
    throw error
  })
  const sizeBytes = sizeGib === 0 ? Math.ceil(imageBytes / 512) * 512 : sizeGib * GIB
  if (imageBytes > sizeBytes) throw badRequest('Flavor\'s disk is too small for requested image.')
  const half = `${layout.disk}.new`
  try {
    await createOverlay(half, base, sizeBytes)
    await rename(half, layout.disk)
  } catch (error) {
    await removeFile(half)
    throw error
  }
}

/** Writes the config drive, whole, or removes it. */
export async function ensureConfigDrive(layout: Layout, files: Record<string, string> | undefined): Promise<void> {
  if (files === undefined) return void await removeFile(layout.configDrive)
  const decoded = Object.fromEntries(Object.entries(files).map(([path, base64]) => [path, Buffer.from(base64, 'base64')]))
  await writeAtomic(layout.configDrive, isoImage(decoded, 'config-2'))
}

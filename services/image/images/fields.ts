// The image's attributes: which are the user's to set, what each may hold, and what becomes of them in an image.
import { badRequest, forbidden, overQuota } from '#base/errors.ts'
import { flag } from '#kit/store/store.ts'
import type { ImageConfig } from '../config.ts'
import type { Image } from './store.ts'

/** The formats of disks that glance knows; `formats/` can look into those where it matters. */
export const diskFormats = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'ploop', 'iso'] as const
/** What may be around a disk; `bare`: nothing. */
export const containerFormats = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const
const visibilities = ['public', 'private', 'shared', 'community']

/** Set by the service alone: PATCH answers 403, POST too. */
const readOnly = new Set([
  'created_at', 'updated_at', 'status', 'checksum', 'size', 'virtual_size', 'direct_url', 'self', 'file', 'schema', 'locations',
  'os_hash_algo', 'os_hash_value', 'stores',
])
/** Names that no property may have, now or ever. */
const reserved = (name: string): boolean => name === 'location' || name === 'deleted' || name === 'deleted_at' || name.startsWith('os_glance_')

/** A property of the user's own, by its name. */
export const isProperty = (name: string): boolean => !readOnly.has(name) && !reserved(name) && !isCore(name) && name !== 'id'

/** Refuses what is not the user's to touch. */
export function writable(name: string): void {
  if (readOnly.has(name)) throw forbidden(`Attribute '${name}' is read-only.`)
  if (reserved(name)) throw forbidden(`Attribute '${name}' is reserved.`)
}

/** A 413, as glance answers when there are too many of something on one image. */
const tooMany = (what: string, attempted: number, most: number): Error =>
  overQuota(`The limit has been exceeded on the number of allowed image ${what}. Attempted: ${attempted}, Maximum: ${most}`)

const text = (name: string, value: unknown, most: number): string | null => {
  if (value === null) return null
  if (typeof value !== 'string') throw badRequest(`Provided object does not match schema 'image': ${JSON.stringify(value)} is not of type 'string' (${name})`)
  if (value.length > most) throw badRequest(`Provided object does not match schema 'image': ${name} is longer than ${most} characters`)
  return value
}
const amount = (name: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1) {
    throw badRequest(`Provided object does not match schema 'image': ${name} must be an integer from 0 to ${2 ** 31 - 1}`)
  }
  return value
}
const truth = (name: string, value: unknown): boolean => {
  if (typeof value !== 'boolean') throw badRequest(`Provided object does not match schema 'image': ${JSON.stringify(value)} is not of type 'boolean' (${name})`)
  return value
}
const oneOf = <T extends string>(name: string, value: unknown, values: readonly T[]): T => {
  if (!values.includes(value as T)) throw badRequest(`Provided object does not match schema 'image': ${JSON.stringify(value)} is not one of ${values.join(', ')} (${name})`)
  return value as T
}

/** Tags as a set. */
function tagsOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw badRequest(`Provided object does not match schema 'image': tags must be a list of strings`)
  return [...new Set(value.map((tag) => text('tags', tag, 255) ?? ''))].sort()
}

const setters: Record<string, (image: Image, value: unknown) => void> = {
  name: (image, v) => { image.name = text('name', v, 255) },
  visibility: (image, v) => { image.visibility = oneOf('visibility', v, visibilities) as Image['visibility'] },
  protected: (image, v) => { image.protected = flag(truth('protected', v)) },
  os_hidden: (image, v) => { image.hidden = flag(truth('os_hidden', v)) },
  disk_format: (image, v) => { image.diskFormat = v === null ? null : oneOf('disk_format', v, diskFormats) },
  container_format: (image, v) => { image.containerFormat = v === null ? null : oneOf('container_format', v, containerFormats) },
  min_disk: (image, v) => { image.minDiskGib = amount('min_disk', v) },
  min_ram: (image, v) => { image.minRamMib = amount('min_ram', v) },
  owner: (image, v) => { image.ownerId = text('owner', v, 255) },
  tags: (image, v) => { image.tags = tagsOf(v) },
}

const idOfImage = (name: string, value: unknown): void => {
  if (typeof value === 'string' && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    throw badRequest(`Provided object does not match schema 'image': '${value.slice(0, 60)}' does not match the pattern of a UUID (${name})`)
  }
}
/** Properties that OpenStack gives a meaning, where not every text has one. */
const known: Record<string, (name: string, value: unknown) => void> = {
  kernel_id: idOfImage, ramdisk_id: idOfImage,
  cinder_encryption_key_deletion_policy: (name, value) => { oneOf(name, value, ['on_image_deletion', 'do_not_delete']) },
}
/** These may be null, which is as if they were not there. */
const nullable = new Set(['kernel_id', 'ramdisk_id'])

/** Attributes OpenStack defines for images beyond the core ones are text as well; all others are the user's own properties. */
export function setField(image: Image, name: string, value: unknown): void {
  writable(name)
  if (Object.hasOwn(setters, name)) return setters[name]!(image, value)
  if (name.length > 255) throw badRequest('The name of a property is at most 255 characters long.')
  if (value === null && nullable.has(name)) return void delete image.properties[name]
  if (Object.hasOwn(known, name)) known[name]!(name, value)
  const kept = text(name, value, 65_535)
  if (kept === null) throw badRequest(`Provided object does not match schema 'image': None is not of type 'string' (${name})`)
  Object.defineProperty(image.properties, name, { value: kept, enumerable: true, configurable: true, writable: true })
}

/** Once a whole request is applied: one that takes as many away as it adds may pass through more. Below zero is no bound. */
export function checkBounds(has: { properties?: number, tags?: number, members?: number }, { perImage }: Pick<ImageConfig, 'perImage'>): void {
  for (const what of ['properties', 'tags', 'members'] as const) if (perImage[what] >= 0 && (has[what] ?? 0) > perImage[what]) throw tooMany(what, has[what]!, perImage[what])
}
/** How many there are of what is bounded. */
export const boundsOf = ({ properties, tags }: Image): { properties: number, tags: number } => ({ properties: Object.keys(properties).length, tags: tags.length })

/** Whether it is an attribute that every image has. */
export const isCore = (name: string): boolean => Object.hasOwn(setters, name)

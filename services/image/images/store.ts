// Rows of images with their properties and tags.
import { conflict } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { change, insert, insertIfAbsent, put } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { ImageRow } from '../schema.ts'

/** An image with what belongs to it. */
export interface Image extends ImageRow {
  properties: Record<string, string>
  tags: string[]
  /** Its readable copies, by the stores' names in order. */
  locations: { store: string, location: string }[]
}

/** An image's columns while it has no bytes. */
export const noData = {
  size: null, virtualSize: null, checksum: null, osHashAlgo: null, osHashValue: null, uploadId: null, uploadUntil: null, importTaskId: null, importingTo: null, failedImport: null,
} as const satisfies Partial<ImageRow>
/** The record of a new image without bytes and attributes; nothing is written. */
export const newImage = (projectId: string | undefined, status: 'queued' | 'importing'): Image => ({
  id: newId(), name: null, ownerId: projectId ?? null, visibility: 'shared', status, protected: 0, hidden: 0,
  diskFormat: null, containerFormat: null, minDiskGib: 0, minRamMib: 0,
  ...noData, createdAt: now(), updatedAt: now(), properties: {}, tags: [], locations: [],
})
/** Rows with what belongs to them, by one query a table. */
export async function complete(tx: ImageTx, rows: ImageRow[]): Promise<Image[]> {
  if (rows.length === 0) return []
  const ids = rows.map((r) => r.id)
  const properties = Map.groupBy(await tx.db.selectFrom('imageProperties').selectAll().where('imageId', 'in', ids).execute(), (p) => p.imageId)
  const tags = Map.groupBy(await tx.db.selectFrom('imageTags').selectAll().where('imageId', 'in', ids).orderBy('tag').execute(), (t) => t.imageId)
  const locations = Map.groupBy(await tx.db.selectFrom('imageLocations').selectAll().where('imageId', 'in', ids)
    .where('taskId', 'is', null).orderBy('store').execute(), (l) => l.imageId)
  return rows.map((row) => ({
    ...row, locations: locations.get(row.id) ?? [],
    properties: Object.fromEntries((properties.get(row.id) ?? []).map((p) => [p.name, p.value])),
    tags: (tags.get(row.id) ?? []).map((t) => t.tag),
  }))
}

export async function find(tx: ImageTx, id: string): Promise<Image | undefined> {
  const row = await tx.db.selectFrom('imageImages').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await complete(tx, [row]))[0]
}

/** First in a transaction that counts or replaces what belongs to an image: whoever does the same waits for its end, on every engine. */
export const lock = async (tx: ImageTx, id: string): Promise<void> => { await tx.db.updateTable('imageImages').set((eb) => ({ id: eb.ref('id') })).where('id', '=', id).execute() }

/** Throws a conflict when there is one of this id, or ever was. */
export async function add(tx: ImageTx, image: Image): Promise<void> {
  const { properties, tags, locations: _none, ...row } = image
  const taken = (): Error => conflict(`Image ID ${row.id} already exists!`)
  await insert(tx, 'imageImages', { ...row }, taken)
  // Asked afterwards: a deletion that was under way has ended now.
  if (await tx.db.selectFrom('imageRetired').select('id').where('id', '=', row.id).executeTakeFirst()) throw taken()
  await writeProperties(tx, image)
  if (tags.length > 0) await insert(tx, 'imageTags', tags.map((tag) => ({ imageId: row.id, tag })))
}

async function writeProperties(tx: ImageTx, { id, properties }: Pick<Image, 'id' | 'properties'>): Promise<void> {
  await tx.db.deleteFrom('imageProperties').where('imageId', '=', id).execute()
  const rows = Object.entries(properties).map(([name, value]) => ({ imageId: id, name, value }))
  if (rows.length > 0) await insert(tx, 'imageProperties', rows)
}

/** Sets some properties, beside those that are there. */
export async function setProperties(tx: ImageTx, imageId: string, properties: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(properties)) await put(tx, 'imageProperties', { imageId, name }, { value })
}

/** Writes an edited image back; the parts that uploads and deletes change are not touched. */
export async function save(tx: ImageTx, image: Image): Promise<void> {
  const { id, name, visibility, ownerId, diskFormat, containerFormat, minDiskGib, minRamMib, tags } = image
  await change(tx, 'imageImages', { id }, {
    name, visibility, ownerId, protected: image.protected, hidden: image.hidden, diskFormat, containerFormat, minDiskGib, minRamMib, updatedAt: now(),
  })
  await writeProperties(tx, image)
  await tx.db.deleteFrom('imageTags').where('imageId', '=', id).execute()
  if (tags.length > 0) await insert(tx, 'imageTags', tags.map((tag) => ({ imageId: id, tag })))
}

/** Compare-and-set on the status; false when the image was not in it. */
export const move = async (tx: ImageTx, id: string, from: Partial<ImageRow>, set: Partial<ImageRow>): Promise<boolean> =>
  await change(tx, 'imageImages', { id, ...from }, { ...set, updatedAt: now() }) > 0

/** Its tasks stay until they expire, its id is never given again: somebody may still name it, and must not be given a stranger's image. */
export async function remove(tx: ImageTx, id: string): Promise<void> {
  for (const table of ['imageProperties', 'imageTags', 'imageMembers', 'imageLocations', 'imageStageParts', 'imageCached'] as const) {
    await tx.db.deleteFrom(table).where('imageId', '=', id).execute()
  }
  await tx.db.deleteFrom('imageImages').where('id', '=', id).execute()
  await insertIfAbsent(tx, 'imageRetired', { id, deletedAt: now() })
}

/** The upload lives on until then, unless it has lost the image. */
export const prolong = async (tx: ImageTx, id: string, uploadId: string, until: string): Promise<void> => {
  await change(tx, 'imageImages', { id, uploadId }, { uploadUntil: until })
}
/** Uploads whose process no longer shows itself: queued again. */
export const requeueUploads = async (tx: ImageTx): Promise<void> => {
  await tx.db.updateTable('imageImages').set({ status: 'queued', ...noData, updatedAt: now() }).where((eb) => eb.or([
    eb('status', '=', 'saving').and(eb.or([eb('uploadUntil', 'is', null), eb('uploadUntil', '<', now())])), eb('status', '=', 'uploading').and('uploadUntil', '<', now()),
  ])).execute()
}

/** Where its cached copies are. */
export const cachedOf = async (tx: ImageTx, imageId: string): Promise<string[]> =>
  (await tx.db.selectFrom('imageCached').select('location').where('imageId', '=', imageId).execute()).flatMap((row) => row.location ?? [])

/** Nothing happens when it is there. */
export const addTag = async (tx: ImageTx, imageId: string, tag: string): Promise<void> => {
  await tx.db.deleteFrom('imageTags').where('imageId', '=', imageId).where('tag', '=', tag).execute()
  await insert(tx, 'imageTags', { imageId, tag })
}
export const countTags = async (tx: ImageTx, imageId: string): Promise<number> =>
  Number((await tx.db.selectFrom('imageTags').select(({ fn }) => fn.countAll().as('n')).where('imageId', '=', imageId).executeTakeFirstOrThrow()).n)
/** False when it was not there. */
export const removeTag = async (tx: ImageTx, imageId: string, tag: string): Promise<boolean> =>
  Number((await tx.db.deleteFrom('imageTags').where('imageId', '=', imageId).where('tag', '=', tag).executeTakeFirst()).numDeletedRows) > 0

/** Whatever the member says to it. */
export const isMember = async (tx: ImageTx, imageId: string, memberId: string): Promise<boolean> =>
  await tx.db.selectFrom('imageMembers').select('imageId').where('imageId', '=', imageId).where('memberId', '=', memberId).executeTakeFirst() !== undefined

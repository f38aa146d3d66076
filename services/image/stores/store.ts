// Rows that refer to bytes: copies in stores, staged pieces, cached copies. What none of them names may be removed.
import { change, insertIfAbsent } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { LocationRow } from '../schema.ts'

/** Where bytes are: in a store, staged, or in this host's cache. */
export type Place = { store: string } | 'staging' | 'cache'

/** Does any row name these bytes? */
export async function isReferred(tx: ImageTx, place: Place, location: string): Promise<boolean> {
  const row = place === 'staging' ? await tx.db.selectFrom('imageStageParts').select('imageId').where('location', '=', location).limit(1).executeTakeFirst()
    : place === 'cache' ? await tx.db.selectFrom('imageCached').select('imageId').where('location', '=', location).limit(1).executeTakeFirst()
      : await tx.db.selectFrom('imageLocations').select('imageId').where('location', '=', location).where('store', '=', place.store).limit(1).executeTakeFirst()
  return row !== undefined
}

/** All copies, those of an import under way too. */
export const copiesOf = (tx: ImageTx, imageId: string): Promise<LocationRow[]> => tx.db.selectFrom('imageLocations').selectAll().where('imageId', '=', imageId).execute()
/** Whether it was not there before. */
export const addCopy = (tx: ImageTx, row: LocationRow): Promise<boolean> => insertIfAbsent(tx, 'imageLocations', { ...row })
/** The copies an import has made are read from now on. */
export const publishCopies = async (tx: ImageTx, imageId: string, taskId: string): Promise<void> => { await change(tx, 'imageLocations', { imageId, taskId }, { taskId: null }) }
/** Answers whether there was one. `taskId`: of the import that is bringing it; null: readable ones. */
export const removeCopy = async (tx: ImageTx, imageId: string, store: string, taskId: string | null): Promise<boolean> =>
  Number((await tx.db.deleteFrom('imageLocations').where('imageId', '=', imageId).where('store', '=', store)
    .where('taskId', taskId === null ? 'is' : '=', taskId).executeTakeFirst()).numDeletedRows) > 0

// Rows of one host's cached copies.
import { sql } from 'kysely'
import { now } from '#base/time.ts'
import { change, insertIfAbsent } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { CachedRow } from '../schema.ts'

export const list = (tx: ImageTx, host: string): Promise<CachedRow[]> =>
  tx.db.selectFrom('imageCached').selectAll().where('host', '=', host).orderBy('modifiedAt').orderBy('imageId').execute()
export const find = (tx: ImageTx, host: string, imageId: string): Promise<CachedRow | undefined> =>
  tx.db.selectFrom('imageCached').selectAll().where('host', '=', host).where('imageId', '=', imageId).executeTakeFirst()
/** Asks for a copy; there already is fine. */
export const queue = async (tx: ImageTx, host: string, imageId: string): Promise<void> => {
  await insertIfAbsent(tx, 'imageCached', { host, imageId, location: null, size: 0, hits: 0, accessedAt: now(), modifiedAt: now() })
}
/** False when it is asked for no more. */
export const fill = async (tx: ImageTx, host: string, imageId: string, location: string, size: number): Promise<boolean> =>
  await change(tx, 'imageCached', { host, imageId, location: null }, { location, size, accessedAt: now(), modifiedAt: now() }) > 0
export const hit = async (tx: ImageTx, host: string, imageId: string): Promise<void> => {
  await tx.db.updateTable('imageCached').set({ hits: sql`hits + 1`, accessedAt: now() }).where('host', '=', host).where('imageId', '=', imageId).execute()
}
export const remove = async (tx: ImageTx, host: string, imageId: string): Promise<void> => {
  await tx.db.deleteFrom('imageCached').where('host', '=', host).where('imageId', '=', imageId).execute()
}

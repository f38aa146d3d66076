// Rows of staged pieces.
import { now } from '#base/time.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { StagePartRow } from '../schema.ts'

/** In the order in which they make up the data. */
export const partsOf = (tx: ImageTx, imageId: string): Promise<StagePartRow[]> =>
  tx.db.selectFrom('imageStageParts').selectAll().where('imageId', '=', imageId).orderBy('form').orderBy('startAt').execute()

/** False when a piece of the same form begins there already. */
export const addPart = (tx: ImageTx, part: Omit<StagePartRow, 'createdAt'>): Promise<boolean> => insertIfAbsent(tx, 'imageStageParts', { ...part, createdAt: now() })

/** Answers what was there: its bytes may go. */
export async function takeParts(tx: ImageTx, imageId: string, fromForm = 0): Promise<StagePartRow[]> {
  const parts = (await partsOf(tx, imageId)).filter((part) => part.form >= fromForm)
  await tx.db.deleteFrom('imageStageParts').where('imageId', '=', imageId).where('form', '>=', fromForm).execute()
  return parts
}

/** Images whose staged bytes nobody has touched since an instant, and that no import works on. */
export const idleSince = async (tx: ImageTx, at: string): Promise<string[]> =>
  (await tx.db.selectFrom('imageImages').select('id').where('status', '=', 'uploading').where('importTaskId', 'is', null)
    .where('updatedAt', '<', at).limit(100).execute()).map((row) => row.id)

// Rows of members: projects that an image of visibility "shared" is shared with.
import { conflict } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { MemberRow } from '../schema.ts'

export const list = (tx: ImageTx, imageId: string): Promise<MemberRow[]> =>
  tx.db.selectFrom('imageMembers').selectAll().where('imageId', '=', imageId).orderBy('memberId').execute()
export const find = (tx: ImageTx, imageId: string, memberId: string): Promise<MemberRow | undefined> =>
  tx.db.selectFrom('imageMembers').selectAll().where('imageId', '=', imageId).where('memberId', '=', memberId).executeTakeFirst()
/** Throws a conflict for who is a member already. */
export async function add(tx: ImageTx, imageId: string, memberId: string): Promise<MemberRow> {
  const row: MemberRow = { imageId, memberId, status: 'pending', createdAt: now(), updatedAt: now() }
  await insert(tx, 'imageMembers', { ...row }, () => conflict(`Member ${memberId} is duplicated for image ${imageId}`))
  return row
}
export const count = async (tx: ImageTx, imageId: string): Promise<number> =>
  Number((await tx.db.selectFrom('imageMembers').select(({ fn }) => fn.countAll().as('n')).where('imageId', '=', imageId).executeTakeFirstOrThrow()).n)
export const setStatus = async (tx: ImageTx, imageId: string, memberId: string, status: MemberRow['status']): Promise<void> => {
  await change(tx, 'imageMembers', { imageId, memberId }, { status, updatedAt: now() })
}
export const remove = async (tx: ImageTx, imageId: string, memberId: string): Promise<boolean> =>
  Number((await tx.db.deleteFrom('imageMembers').where('imageId', '=', imageId).where('memberId', '=', memberId).executeTakeFirst()).numDeletedRows) > 0

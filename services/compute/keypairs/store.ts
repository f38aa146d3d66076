// Rows of keypairs.
import { conflict } from '#base/errors.ts'
import { insert } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { KeypairRow } from '../schema.ts'

export const find = (tx: ComputeTx, userId: string, name: string): Promise<KeypairRow | undefined> =>
  tx.db.selectFrom('computeKeypairs').selectAll().where('userId', '=', userId).where('name', '=', name).executeTakeFirst()

export function list(tx: ComputeTx, userId: string, page?: { limit: number, marker?: string }): Promise<KeypairRow[]> {
  let query = tx.db.selectFrom('computeKeypairs').selectAll().where('userId', '=', userId).orderBy('name')
  if (page?.marker !== undefined) query = query.where('name', '>', page.marker)
  return (page ? query.limit(page.limit) : query).execute()
}

export const add = (tx: ComputeTx, row: KeypairRow): Promise<void> => insert(tx, 'computeKeypairs', { ...row }, () => conflict(`Key pair '${row.name}' already exists.`))

export const remove = async (tx: ComputeTx, userId: string, name: string): Promise<boolean> =>
  (await tx.db.deleteFrom('computeKeypairs').where('userId', '=', userId).where('name', '=', name).executeTakeFirst()).numDeletedRows > 0n

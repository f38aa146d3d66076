// Rows that say no more than that two things belong together.
import { insert, put } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'

/** The columns that name an association, with their values. */
export type Key = Record<string, string>

export const isThere = async (tx: IdentityTx, table: string, key: Key): Promise<boolean> => {
  let query = (tx.db as import('kysely').Kysely<any>).selectFrom(table).select(Object.keys(key))
  for (const [column, value] of Object.entries(key)) query = query.where(column, '=', value)
  return await query.executeTakeFirst() !== undefined
}
/** With something to set, the association of that key is changed; without, a second one is `taken()`. */
export const associate = (tx: IdentityTx, table: string, key: Key, set: Key | undefined, taken: () => Error): Promise<void> =>
  set ? put(tx, table, key, set) : insert(tx, table, key, taken)
/** Answers whether there was one. */
export async function dissociate(tx: IdentityTx, table: string, key: Key): Promise<boolean> {
  let query = (tx.db as import('kysely').Kysely<any>).deleteFrom(table)
  for (const [column, value] of Object.entries(key)) query = query.where(column, '=', value)
  return Number((await query.executeTakeFirst()).numDeletedRows) > 0
}

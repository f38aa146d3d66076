// Rows of credentials. Their blobs are sealed; only their owner's time steps and what is filtered by are readable.
import { change, insert } from '#kit/store/rows.ts'
import { conflict } from '#base/errors.ts'
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import type { CredentialRow } from '../schema.ts'

const numbers = (row: CredentialRow): CredentialRow => ({ ...row, keyNumber: Number(row.keyNumber), lastStep: Number(row.lastStep) })

export async function find(tx: IdentityTx, id: string): Promise<CredentialRow | undefined> {
  const row = await tx.db.selectFrom('identityCredentials').selectAll().where('id', '=', id).executeTakeFirst()
  return row && numbers(row)
}

export const list = async (tx: IdentityTx, terms: Term[], page: Page = {}): Promise<CredentialRow[]> =>
  (await narrowed(tx, tx.db.selectFrom('identityCredentials').selectAll(), terms, page).execute()).map(numbers)
export const ofUser = (tx: IdentityTx, userId: string, type: string, page: Page = {}): Promise<CredentialRow[]> =>
  list(tx, [{ column: 'userId', how: 'is', value: userId }, { column: 'type', how: 'is', value: type }], page)

export const add = (tx: IdentityTx, row: CredentialRow): Promise<void> =>
  insert(tx, 'identityCredentials', { ...row }, () => conflict(`Conflict occurred attempting to store credential - Duplicate entry found with ID ${row.id}.`))

/** False when somebody else changed it since it was read. */
export const save = async (tx: IdentityTx, was: CredentialRow, row: CredentialRow): Promise<boolean> => {
  const { id, lastStep: _used, createdAt: _made, ...set } = row
  return await change(tx, 'identityCredentials', { id, sealed: was.sealed, userId: was.userId }, set) > 0
}

export const remove = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityCredentials').where('id', '=', id).execute() }

/** Takes a time step's passcode; false when it, or one of a later step, was taken before. */
export const takeStep = async (tx: IdentityTx, id: string, step: number): Promise<boolean> =>
  Number((await tx.db.updateTable('identityCredentials').set({ lastStep: step }).where('id', '=', id).where('lastStep', '<', step).executeTakeFirst()).numUpdatedRows) > 0

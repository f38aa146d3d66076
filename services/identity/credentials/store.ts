// Rows of credentials. Their blobs are sealed; only their owner's time steps and what is filtered by are readable.
import { change, insert } from '#kit/store/rows.ts'
import { conflict } from '#base/errors.ts'
import type { IdentityTx } from '../deps.ts'
import { fetchLimit, type Page } from '../fields.ts'
import type { CredentialRow } from '../schema.ts'

/** null asks for those of no project. */
export interface CredentialFilter { userId?: string, type?: string, projectId?: string | null }

const numbers = (row: CredentialRow): CredentialRow => ({ ...row, keyNumber: Number(row.keyNumber), lastStep: Number(row.lastStep) })

export async function find(tx: IdentityTx, id: string): Promise<CredentialRow | undefined> {
  const row = await tx.db.selectFrom('identityCredentials').selectAll().where('id', '=', id).executeTakeFirst()
  return row && numbers(row)
}

export async function list(tx: IdentityTx, filter: CredentialFilter, page: Page = {}): Promise<CredentialRow[]> {
  let query = tx.db.selectFrom('identityCredentials').selectAll()
  if (filter.userId !== undefined) query = query.where('userId', '=', filter.userId)
  if (filter.type !== undefined) query = query.where('type', '=', filter.type)
  if (filter.projectId !== undefined) query = filter.projectId === null ? query.where('projectId', 'is', null) : query.where('projectId', '=', filter.projectId)
  if (page.marker) query = query.where('id', '>', page.marker)
  return (await query.orderBy('id').limit(fetchLimit(page)).execute()).map(numbers)
}

export const countOf = async (tx: IdentityTx, userId: string): Promise<number> =>
  Number((await tx.db.selectFrom('identityCredentials').select((eb) => eb.fn.countAll().as('n')).where('userId', '=', userId).executeTakeFirstOrThrow()).n)

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

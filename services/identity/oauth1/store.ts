// Rows of consumers and their tokens.
import { change, insert } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { idsOf } from '../roles/ids.ts'
import type { RoleRow } from '../schema.ts'
import type { AccessTokenRow, ConsumerRow, RequestTokenRow } from './schema.ts'

export const listConsumers = (tx: IdentityTx): Promise<ConsumerRow[]> => tx.db.selectFrom('identityConsumers').selectAll().orderBy('id').execute()
export const findConsumer = (tx: IdentityTx, id: string): Promise<ConsumerRow | undefined> =>
  tx.db.selectFrom('identityConsumers').selectAll().where('id', '=', id).executeTakeFirst()
export const addConsumer = (tx: IdentityTx, row: ConsumerRow): Promise<void> => insert(tx, 'identityConsumers', { ...row })
export const saveConsumer = (tx: IdentityTx, { id, ...set }: ConsumerRow): Promise<number> => change(tx, 'identityConsumers', { id }, set)
/** The consumer, and with its tokens all that it does for anybody. */
export async function removeConsumer(tx: IdentityTx, id: string): Promise<void> {
  await removeTokens(tx, 'consumerId', [id])
  await tx.db.deleteFrom('identityConsumers').where('id', '=', id).execute()
}
/** The request and access tokens of these consumers, users or projects. */
export async function removeTokens(tx: IdentityTx, column: 'consumerId' | 'userId' | 'projectId', ids: string[]): Promise<void> {
  for (const table of ['identityRequestTokens', 'identityAccessTokens'] as const) await tx.db.deleteFrom(table).where(column, 'in', ids).execute()
}

/** Leaves what has expired behind. */
export async function addRequestToken(tx: IdentityTx, row: RequestTokenRow, nowSeconds: number): Promise<void> {
  for (const table of ['identityRequestTokens', 'identityAccessTokens'] as const) await tx.db.deleteFrom(table).where('expiresAtSeconds', '<', nowSeconds).execute()
  await insert(tx, 'identityRequestTokens', { ...row })
}
export const findRequestToken = (tx: IdentityTx, id: string): Promise<RequestTokenRow | undefined> =>
  tx.db.selectFrom('identityRequestTokens').selectAll().where('id', '=', id).executeTakeFirst()
/** False when somebody allowed it meanwhile. */
export const allow = async (tx: IdentityTx, { id, userId, verifier, roleIds }: RequestTokenRow): Promise<boolean> =>
  await change(tx, 'identityRequestTokens', { id, userId: null }, { userId, verifier, roleIds }) > 0
/** An access token for a request token, which is gone with it; false when it was gone already. */
export async function exchange(tx: IdentityTx, requestTokenId: string, row: AccessTokenRow): Promise<boolean> {
  if (Number((await tx.db.deleteFrom('identityRequestTokens').where('id', '=', requestTokenId).executeTakeFirst()).numDeletedRows) === 0) return false
  await insert(tx, 'identityAccessTokens', { ...row })
  return true
}

export const listAccessTokens = (tx: IdentityTx, userId: string): Promise<AccessTokenRow[]> =>
  tx.db.selectFrom('identityAccessTokens').selectAll().where('userId', '=', userId).orderBy('id').execute()
export const findAccessToken = (tx: IdentityTx, id: string): Promise<AccessTokenRow | undefined> =>
  tx.db.selectFrom('identityAccessTokens').selectAll().where('id', '=', id).executeTakeFirst()
export const removeAccessToken = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityAccessTokens').where('id', '=', id).execute() }

/** The roles an access token was allowed, those that are still there. */
export const rolesOf = async (tx: IdentityTx, row: AccessTokenRow): Promise<RoleRow[]> => {
  const ids = idsOf(row.roleIds)
  return ids.length === 0 ? [] : tx.db.selectFrom('identityRoles').selectAll().where('id', 'in', ids).orderBy('id').execute()
}

export const removeRequestToken = async (tx: IdentityTx, id: string): Promise<void> => { await tx.db.deleteFrom('identityRequestTokens').where('id', '=', id).execute() }

import type { Migration } from '#kit/store/migrations.ts'

/** Programs that act for users who allowed it: the first edition of OAuth. */
export const oauth1: Migration = {
  id: '0011-oauth1',
  changes: [
    { createTable: 'identityConsumers', as: { columns: { id: 'id', description: 'long?', secret: 'long', extra: 'long' }, primaryKey: ['id'] } },
    { createTable: 'identityRequestTokens', as: {
      columns: { id: 'id', consumerId: 'id', secret: 'long', projectId: 'id', userId: 'id?', roleIds: 'long', verifier: 'text?', expiresAtSeconds: 'int' }, primaryKey: ['id'],
      indexes: [['consumerId'], ['expiresAtSeconds'], ['projectId'], ['userId']],
    } },
    { createTable: 'identityAccessTokens', as: {
      columns: { id: 'id', consumerId: 'id', secret: 'long', projectId: 'id', userId: 'id', roleIds: 'long', expiresAtSeconds: 'int' }, primaryKey: ['id'],
      indexes: [['consumerId'], ['expiresAtSeconds'], ['projectId'], ['userId']],
    } },
  ],
}

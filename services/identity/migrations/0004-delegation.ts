import type { Migration } from '#kit/store/migrations.ts'

/** What others are let in by: credentials of all kinds, trusts, and the access rules of application credentials. */
export const delegation: Migration = {
  id: '0004-delegation',
  changes: [
    { createTable: 'identityTrusts', as: {
      columns: {
        id: 'id', trustorUserId: 'id', trusteeUserId: 'id', rootTrustorId: 'id', projectId: 'id?', impersonation: 'bool',
        expiresAt: 'at?', remainingUses: 'int?', redelegatedTrustId: 'id?',
        redelegationCount: 'int', roleIds: 'long', deletedAt: 'at?', createdAt: 'at',
      },
      primaryKey: ['id'], indexes: [['trustorUserId'], ['trusteeUserId'], ['rootTrustorId'], ['projectId'], ['redelegatedTrustId'], ['deletedAt']],
    } },
    { createTable: 'identityAccessRules', as: {
      columns: { id: 'id', userId: 'id', service: 'id', path: 'text', method: 'id' }, primaryKey: ['id'], unique: [['userId', 'service', 'path', 'method']],
    } },
    { createTable: 'identityApplicationCredentialRules', as: {
      columns: { applicationCredentialId: 'id', accessRuleId: 'id' }, primaryKey: ['applicationCredentialId', 'accessRuleId'], indexes: [['accessRuleId']],
    } },
    { createTable: 'identityCredentials', as: {
      columns: { id: 'id', userId: 'id', projectId: 'id?', type: 'text', keyNumber: 'int', sealed: 'long', extra: 'long', lastStep: 'int', createdAt: 'at' },
      primaryKey: ['id'], indexes: [['userId'], ['projectId'], ['type'], ['keyNumber']],
    } },
    { createTable: 'identityCredentialKeys', as: { columns: { number: 'int', secret: 'text', createdAt: 'at' }, primaryKey: ['number'] } },
    { addColumn: 'identityRevocations', name: 'revokedAt', kind: 'at?' },
  ],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Users and groups that stand in a domain's own directory, and the ids they have here. */
export const directories: Migration = {
  id: '0012-directories',
  changes: [{ createTable: 'identityDirectoryEntries', as: { columns: { id: 'id', domainId: 'id', kind: 'id' }, primaryKey: ['id'], indexes: [['domainId']] } }],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Files that users want in their guests (`personality`), until the guest is built: they are on its config drive then. */
export const files: Migration = {
  id: '0003-files',
  changes: [{ createTable: 'computeServerFiles', as: { columns: { serverId: 'id', files: 'long' }, primaryKey: ['serverId'] } }],
}

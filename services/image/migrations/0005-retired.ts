import type { Migration } from '#kit/store/migrations.ts'

/** Ids of images that are deleted. */
export const retired: Migration = {
  id: '0005-retired',
  changes: [{ createTable: 'imageRetired', as: { columns: { id: 'id', deletedAt: 'at' }, primaryKey: ['id'] } }],
}

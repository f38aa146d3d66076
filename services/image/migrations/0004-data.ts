import { sql } from 'kysely'
import type { Migration } from '#kit/store/migrations.ts'

/** Copies in several stores, staged bytes, imports with their tasks, cached copies. What is there already lies in the store that always was: `file`. */
export const data: Migration = {
  id: '0004-data',
  changes: [
    { addColumn: 'imageImages', name: 'uploadUntil', kind: 'at?' },
    { addColumn: 'imageImages', name: 'importTaskId', kind: 'id?' },
    { addColumn: 'imageImages', name: 'importingTo', kind: 'long?' },
    { addColumn: 'imageImages', name: 'failedImport', kind: 'long?' },
    { createTable: 'imageLocations', as: { columns: { imageId: 'id', store: 'id', location: 'text', taskId: 'id?' }, primaryKey: ['imageId', 'store'], indexes: [['location']] } },
    { createTable: 'imageStageParts', as: {
      columns: { imageId: 'id', form: 'int', startAt: 'int', size: 'int', location: 'text', last: 'bool', createdAt: 'at' },
      primaryKey: ['imageId', 'form', 'startAt'], indexes: [['location']],
    } },
    { createTable: 'imageTasks', as: {
      columns: {
        id: 'id', type: 'text', status: 'text', ownerId: 'id?', userId: 'id', requestId: 'id', imageId: 'id?', input: 'long',
        result: 'long?', message: 'long', createdAt: 'at', updatedAt: 'at', expiresAt: 'at?',
      },
      primaryKey: ['id'], indexes: [['imageId', 'createdAt'], ['createdAt', 'id'], ['expiresAt']],
    } },
    { createTable: 'imageCached', as: {
      columns: { host: 'id', imageId: 'id', location: 'text?', size: 'int', hits: 'int', accessedAt: 'at', modifiedAt: 'at' },
      primaryKey: ['host', 'imageId'], indexes: [['imageId'], ['location']],
    } },
    { async run(tx) {
      await sql`INSERT INTO image_locations (image_id, store, location, task_id) SELECT id, 'file', location, NULL FROM image_images
        WHERE location IS NOT NULL AND NOT EXISTS (SELECT 1 FROM image_locations there WHERE there.image_id = image_images.id)`.execute(tx.db)
    } },
  ],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Images, their properties, tags and members. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'imageImages', as: {
      columns: {
        id: 'id', name: 'text?', ownerId: 'id?', visibility: 'text', status: 'text', protected: 'bool', hidden: 'bool',
        diskFormat: 'text?', containerFormat: 'text?', minDiskGib: 'int', minRamMib: 'int',
        size: 'int?', virtualSize: 'int?', checksum: 'text?', osHashAlgo: 'text?', osHashValue: 'text?', location: 'text?', createdAt: 'at', updatedAt: 'at', uploadId: 'id?',
      },
      primaryKey: ['id'], indexes: [['ownerId', 'createdAt', 'id'], ['visibility', 'createdAt', 'id'], ['location'], ['createdAt', 'id'], ['status']],
    } },
    { createTable: 'imageProperties', as: { columns: { imageId: 'id', name: 'text', value: 'long' }, primaryKey: ['imageId', 'name'] } },
    { createTable: 'imageTags', as: { columns: { imageId: 'id', tag: 'text' }, primaryKey: ['imageId', 'tag'] } },
    { createTable: 'imageMembers', as: {
      columns: { imageId: 'id', memberId: 'id', status: 'text', createdAt: 'at', updatedAt: 'at' },
      primaryKey: ['imageId', 'memberId'], indexes: [['memberId']],
    } },
  ],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Metadata definitions, and those that every cloud is given. */
export const metadefs: Migration = {
  id: '0002-metadefs',
  changes: [
    { createTable: 'imageNamespaces', as: {
      columns: { id: 'id', namespace: 'text', displayName: 'text?', description: 'long?', visibility: 'text', protected: 'bool', ownerId: 'text?', createdAt: 'at', updatedAt: 'at' },
      primaryKey: ['id'], unique: [['namespace']], indexes: [['createdAt', 'id']],
    } },
    { createTable: 'imageDefinitions', as: {
      columns: { namespaceId: 'id', kind: 'id', name: 'text', definition: 'long', createdAt: 'at', updatedAt: 'at' },
      primaryKey: ['namespaceId', 'kind', 'name'], indexes: [['kind', 'name']],
    } },
    { createTable: 'imageResourceTypes', as: { columns: { name: 'text', createdAt: 'at', updatedAt: 'at' }, primaryKey: ['name'] } },
    // Loaded now and never again: a hundred kilobytes that a running cloud has no use for.
    { run: async (tx) => (await import('../metadefs/seed-store.ts')).seed(tx) },
  ],
}

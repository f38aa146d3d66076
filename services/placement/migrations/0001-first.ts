import type { Migration } from '#kit/store/migrations.ts'

/** Providers, inventories, allocations. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'placementProviders', as: {
      columns: { id: 'id', name: 'text', generation: 'int', parentId: 'id?', rootId: 'id', createdAt: 'at', updatedAt: 'at' },
      primaryKey: ['id'], unique: [['name']], indexes: [['rootId']],
    } },
    { createTable: 'placementInventories', as: {
      columns: { providerId: 'id', resourceClass: 'text', total: 'int', reserved: 'int', minUnit: 'int', maxUnit: 'int', stepSize: 'int', allocationRatio: 'real', used: 'int' },
      primaryKey: ['providerId', 'resourceClass'],
    } },
    { createTable: 'placementTraits', as: { columns: { providerId: 'id', trait: 'text' }, primaryKey: ['providerId', 'trait'] } },
    { createTable: 'placementAllocations', as: {
      columns: { consumerId: 'id', providerId: 'id', resourceClass: 'text', used: 'int' }, primaryKey: ['consumerId', 'providerId', 'resourceClass'], indexes: [['providerId']],
    } },
    { createTable: 'placementConsumers', as: {
      columns: { id: 'id', generation: 'int', projectId: 'id', userId: 'id', createdAt: 'at', updatedAt: 'at' },
      primaryKey: ['id'], indexes: [['projectId']],
    } },
  ],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Aggregates, names of one's own for traits and resource classes, kinds of consumers, and the stamp by which changed providers are known. */
export const trees: Migration = {
  id: '0002-trees',
  changes: [
    { addColumn: 'placementProviders', name: 'stamp', kind: 'int', default: 0 },
    { createIndex: 'placementProviders', columns: ['parentId'] },
    { createIndex: 'placementTraits', columns: ['trait'] },
    { createIndex: 'placementInventories', columns: ['resourceClass'] },
    { addColumn: 'placementConsumers', name: 'consumerType', kind: 'text?' },
    { createTable: 'placementAggregates', as: { columns: { aggregateId: 'id', providerId: 'id' }, primaryKey: ['aggregateId', 'providerId'], indexes: [['providerId']] } },
    { createTable: 'placementCustomNames', as: { columns: { kind: 'id', name: 'text', uses: 'int', createdAt: 'at' }, primaryKey: ['kind', 'name'] } },
  ],
}

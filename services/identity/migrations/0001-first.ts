import type { Migration } from '#kit/store/migrations.ts'

/** Projects and domains. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'identityProjects', as: {
      columns: { id: 'id', name: 'text', domainId: 'id?', parentId: 'id?', isDomain: 'bool', enabled: 'bool', description: 'long', extra: 'long', createdAt: 'at' },
      primaryKey: ['id'], unique: [['domainId', 'name', 'isDomain']], indexes: [['parentId']],
    } },
  ],
}

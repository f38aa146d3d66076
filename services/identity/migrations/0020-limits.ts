import type { Migration } from '#kit/store/migrations.ts'

/** How much of what there may be: defaults a service registers, and what projects and domains have instead. Empty ids stand for none, so that uniqueness holds on every engine. */
export const limits: Migration = {
  id: '0020-limits',
  changes: [
    { createTable: 'identityRegisteredLimits', as: {
      columns: { id: 'id', serviceId: 'id', regionId: 'text', resourceName: 'text', defaultLimit: 'int', description: 'long?' }, primaryKey: ['id'],
      unique: [['serviceId', 'regionId', 'resourceName']], indexes: [['resourceName'], ['regionId']],
    } },
    { createTable: 'identityLimits', as: {
      columns: { id: 'id', registeredLimitId: 'id', projectId: 'id', domainId: 'id', resourceLimit: 'int', description: 'long?' }, primaryKey: ['id'],
      unique: [['projectId', 'domainId', 'registeredLimitId']], indexes: [['registeredLimitId'], ['domainId']],
    } },
  ],
}

import type { Migration } from '#kit/store/migrations.ts'

/** Who there is, what they may, and where the services are. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'identityProjects', as: {
      columns: {
        id: 'id', name: 'text', domainId: 'id', parentId: 'id?', isDomain: 'bool', enabled: 'bool', description: 'long',
        options: 'long', extra: 'long', generation: 'int', createdAt: 'at',
      },
      primaryKey: ['id'], unique: [['domainId', 'name', 'isDomain']], indexes: [['parentId']],
    } },
    { createTable: 'identityProjectTags', as: { columns: { projectId: 'id', name: 'text' }, primaryKey: ['projectId', 'name'], indexes: [['name']] } },
    { createTable: 'identityUsers', as: {
      columns: {
        id: 'id', name: 'text', domainId: 'id', defaultProjectId: 'id?', enabled: 'bool', passwordHash: 'text?', passwordExpiresAt: 'at?', options: 'long', extra: 'long',
        generation: 'int', createdAt: 'at',
      },
      primaryKey: ['id'], unique: [['domainId', 'name']], indexes: [['name'], ['defaultProjectId']],
    } },
    { createTable: 'identityGroups', as: {
      columns: { id: 'id', name: 'text', domainId: 'id', description: 'long', extra: 'long', createdAt: 'at' },
      primaryKey: ['id'], unique: [['domainId', 'name']],
    } },
    { createTable: 'identityMemberships', as: { columns: { userId: 'id', groupId: 'id' }, primaryKey: ['userId', 'groupId'], indexes: [['groupId']] } },
    { createTable: 'identityRoles', as: {
      columns: { id: 'id', name: 'text', domainId: 'id', description: 'long?', options: 'long', extra: 'long', createdAt: 'at' },
      primaryKey: ['id'], unique: [['domainId', 'name']],
    } },
    { createTable: 'identityImpliedRoles', as: {
      columns: { priorRoleId: 'id', impliedRoleId: 'id' },
      primaryKey: ['priorRoleId', 'impliedRoleId'], indexes: [['impliedRoleId']],
    } },
    { createTable: 'identityAssignments', as: {
      columns: { actorType: 'id', actorId: 'id', targetType: 'id', targetId: 'id', roleId: 'id', inherited: 'bool' },
      primaryKey: ['actorId', 'targetId', 'roleId', 'actorType', 'targetType', 'inherited'], indexes: [['targetId'], ['roleId']],
    } },
    { createTable: 'identityRevocations', as: { columns: { auditId: 'id', expiresAtSeconds: 'int' }, primaryKey: ['auditId'], indexes: [['expiresAtSeconds']] } },
    { createTable: 'identityKeys', as: { columns: { number: 'int', secret: 'text', createdAt: 'at' }, primaryKey: ['number'] } },
    { createTable: 'identityRegions', as: {
      columns: { id: 'text', description: 'long', parentRegionId: 'text?', extra: 'long' },
      primaryKey: ['id'], indexes: [['parentRegionId']],
    } },
    { createTable: 'identityServices', as: {
      columns: { id: 'id', type: 'text', name: 'text?', description: 'long?', enabled: 'bool', extra: 'long' },
      primaryKey: ['id'], indexes: [['type']],
    } },
    { createTable: 'identityEndpoints', as: {
      columns: { id: 'id', serviceId: 'id', regionId: 'text?', interface: 'id', url: 'long', enabled: 'bool', extra: 'long' },
      primaryKey: ['id'], indexes: [['serviceId'], ['regionId']],
    } },
    { createTable: 'identityApplicationCredentials', as: {
      columns: {
        id: 'id', name: 'text', userId: 'id', projectId: 'id', description: 'long?', secretHash: 'text', expiresAt: 'at?', unrestricted: 'bool', roleIds: 'long', createdAt: 'at',
      },
      primaryKey: ['id'], unique: [['userId', 'name']], indexes: [['projectId']],
    } },
  ],
}

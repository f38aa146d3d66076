import type { Migration } from '#kit/store/migrations.ts'

/** Policies with what they are associated with, and which endpoints projects see. Empty ids stand for none. */
export const policies: Migration = {
  id: '0021-policies',
  changes: [
    { createTable: 'identityPolicies', as: { columns: { id: 'id', type: 'text', blob: 'long', extra: 'long' }, primaryKey: ['id'], indexes: [['type']] } },
    { createTable: 'identityPolicyAssociations', as: {
      columns: { endpointId: 'id', serviceId: 'id', regionId: 'text', policyId: 'id' },
      primaryKey: ['endpointId', 'serviceId', 'regionId'], indexes: [['policyId'], ['serviceId'], ['regionId']],
    } },
    { createTable: 'identityEndpointGroups', as: { columns: { id: 'id', name: 'text', description: 'long?', filters: 'long' }, primaryKey: ['id'], indexes: [['name']] } },
    { createTable: 'identityProjectEndpoints', as: { columns: { projectId: 'id', endpointId: 'id' }, primaryKey: ['projectId', 'endpointId'], indexes: [['endpointId']] } },
    { createTable: 'identityProjectEndpointGroups', as: {
      columns: { projectId: 'id', endpointGroupId: 'id' },
      primaryKey: ['projectId', 'endpointGroupId'], indexes: [['endpointGroupId']],
    } },
  ],
}

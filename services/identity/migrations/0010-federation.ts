import type { Migration } from '#kit/store/migrations.ts'

/** Who else may vouch for users, and whom they have vouched for. */
export const federation: Migration = {
  id: '0010-federation',
  changes: [
    { createTable: 'identityIdentityProviders', as: {
      columns: { id: 'id', domainId: 'id', enabled: 'bool', description: 'long?', authorizationTtlMinutes: 'int?' },
      primaryKey: ['id'], indexes: [['domainId']],
    } },
    { createTable: 'identityRemoteIds', as: { columns: { remoteId: 'text', idpId: 'id' }, primaryKey: ['remoteId'], indexes: [['idpId']] } },
    { createTable: 'identityFederationProtocols', as: {
      columns: { id: 'id', idpId: 'id', mappingId: 'id', remoteIdAttribute: 'text?', relyingParty: 'long?', revision: 'int' },
      primaryKey: ['idpId', 'id'], indexes: [['id'], ['mappingId']],
    } },
    { createTable: 'identityMappings', as: { columns: { id: 'id', rules: 'long', schemaVersion: 'id' }, primaryKey: ['id'] } },
    { createTable: 'identityServiceProviders', as: {
      columns: { id: 'id', authUrl: 'long', spUrl: 'long', description: 'long?', enabled: 'bool', relayStatePrefix: 'text' }, primaryKey: ['id'],
    } },
    { createTable: 'identityFederatedUsers', as: {
      columns: { idpId: 'id', protocolId: 'id', uniqueId: 'text', userId: 'id' },
      primaryKey: ['idpId', 'protocolId', 'uniqueId'], indexes: [['userId']],
    } },
    { createTable: 'identityExpiringMemberships', as: {
      columns: { userId: 'id', groupId: 'id', idpId: 'id', expiresAtSeconds: 'int' }, primaryKey: ['userId', 'groupId', 'idpId'], indexes: [['groupId'], ['expiresAtSeconds']],
    } },
    { createTable: 'identitySeenAssertions', as: { columns: { id: 'id', expiresAtSeconds: 'int' }, primaryKey: ['id'], indexes: [['expiresAtSeconds']] } },
    { createTable: 'identitySamlKeys', as: { columns: { id: 'id', sealed: 'long', certificate: 'long', createdAt: 'at' }, primaryKey: ['id'] } },
  ],
}

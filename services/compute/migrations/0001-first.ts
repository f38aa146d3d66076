import type { Migration } from '#kit/store/migrations.ts'

/** Everything compute owns. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'computeServers', as: {
      columns: {
        id: 'id', number: 'int', projectId: 'id', userId: 'id', name: 'text', hostname: 'text', description: 'text?', imageId: 'id?', keyName: 'text?', keyData: 'long?',
        flavorId: 'text', flavor: 'long', vcpus: 'int', memoryMib: 'int', reservationId: 'text', launchIndex: 'int',
        vmState: 'text', taskState: 'text?', progress: 'int', generation: 'int', host: 'text?', node: 'text?', requestedAz: 'text?',
        configDrive: 'bool', lockedBy: 'text?', lockedReason: 'text?', accessIpV4: 'text?', accessIpV6: 'text?', diskConfig: 'text', rootDeviceName: 'text', securityGroups: 'long',
        createdAt: 'at', updatedAt: 'at', launchedAt: 'at?', terminatedAt: 'at?', deletedAt: 'at?',
      },
      primaryKey: ['id'],
      indexes: [['projectId', 'deletedAt', 'createdAt', 'id'], ['deletedAt', 'createdAt', 'id'], ['host', 'deletedAt'], ['reservationId'], ['projectId', 'updatedAt'], ['updatedAt']],
    } },
    { createTable: 'computeServerFaults', as: { columns: { serverId: 'id', code: 'int', message: 'long', details: 'long?', createdAt: 'at' }, primaryKey: ['serverId'] } },
    { createTable: 'computeServerMetadata', as: { columns: { serverId: 'id', key: 'text', value: 'text' }, primaryKey: ['serverId', 'key'], indexes: [['key', 'value']] } },
    { createTable: 'computeServerTags', as: { columns: { serverId: 'id', tag: 'text' }, primaryKey: ['serverId', 'tag'], indexes: [['tag']] } },
    { createTable: 'computeServerUserData', as: { columns: { serverId: 'id', userData: 'long' }, primaryKey: ['serverId'] } },
    { createTable: 'computeInstances', as: { columns: { serverId: 'id', host: 'text', power: 'text', observedAt: 'at' }, primaryKey: ['serverId'], indexes: [['host']] } },
    { createTable: 'computeActions', as: {
      columns: { id: 'id', serverId: 'id', requestId: 'id', action: 'text', userId: 'id', projectId: 'id', startedAt: 'at', updatedAt: 'at', message: 'text?' },
      primaryKey: ['id'], unique: [['serverId', 'requestId']], indexes: [['serverId', 'startedAt']],
    } },
    { createTable: 'computeActionEvents', as: {
      columns: { id: 'id', actionId: 'id', event: 'text', startedAt: 'at', finishedAt: 'at?', result: 'text?', host: 'text?', details: 'long?' }, primaryKey: ['id'], indexes: [['actionId', 'startedAt']],
    } },
    { createTable: 'computeFlavors', as: {
      columns: { id: 'text', name: 'text', vcpus: 'int', memoryMib: 'int', diskGib: 'int', ephemeralGib: 'int', swapMib: 'int', rxtxFactor: 'real', isPublic: 'bool', disabled: 'bool', description: 'long?', createdAt: 'at', updatedAt: 'at?' },
      primaryKey: ['id'], unique: [['name']],
    } },
    { createTable: 'computeFlavorExtraSpecs', as: { columns: { flavorId: 'text', key: 'text', value: 'text' }, primaryKey: ['flavorId', 'key'] } },
    { createTable: 'computeFlavorAccess', as: { columns: { flavorId: 'text', projectId: 'id' }, primaryKey: ['flavorId', 'projectId'], indexes: [['projectId']] } },
    { createTable: 'computeKeypairs', as: { columns: { userId: 'id', name: 'text', number: 'int', type: 'text', publicKey: 'long', fingerprint: 'text', createdAt: 'at' }, primaryKey: ['userId', 'name'] } },
    { createTable: 'computeQuotas', as: { columns: { projectId: 'id', userId: 'id', resource: 'text', hardLimit: 'int' }, primaryKey: ['projectId', 'userId', 'resource'] } },
    { createTable: 'computeHosts', as: {
      columns: {
        host: 'text', id: 'id', number: 'int', hypervisorType: 'text', hypervisorVersion: 'int', hostIp: 'text', vcpus: 'int', memoryMib: 'int', diskGib: 'int', cpuInfo: 'long', traits: 'long', bootedAt: 'at?', reportedAt: 'at',
      },
      primaryKey: ['host'], unique: [['id'], ['number']],
    } },
    { createTable: 'computeServices', as: {
      columns: { id: 'id', number: 'int', host: 'text', binary: 'text', disabled: 'bool', disabledReason: 'text?', forcedDown: 'bool', reportedAt: 'at', updatedAt: 'at' },
      primaryKey: ['id'], unique: [['host', 'binary'], ['number']],
    } },
    { createTable: 'computeAggregates', as: { columns: { id: 'int', uuid: 'id', name: 'text', createdAt: 'at', updatedAt: 'at?' }, primaryKey: ['id'], unique: [['name']] } },
    { createTable: 'computeAggregateHosts', as: { columns: { aggregateId: 'int', host: 'text' }, primaryKey: ['aggregateId', 'host'], indexes: [['host']] } },
    { createTable: 'computeAggregateMetadata', as: { columns: { aggregateId: 'int', key: 'text', value: 'text' }, primaryKey: ['aggregateId', 'key'] } },
    { createTable: 'computeServerGroups', as: { columns: { id: 'id', projectId: 'id', userId: 'id', name: 'text', policy: 'text', rules: 'text', createdAt: 'at' }, primaryKey: ['id'], indexes: [['projectId', 'createdAt']] } },
    { createTable: 'computeServerGroupMembers', as: { columns: { groupId: 'id', serverId: 'id' }, primaryKey: ['groupId', 'serverId'], indexes: [['serverId']] } },
  ],
}

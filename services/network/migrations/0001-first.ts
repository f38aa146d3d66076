import type { ColumnKind, Migration } from '#kit/store/migrations.ts'

const standard = { id: 'id', projectId: 'id', description: 'long', revision: 'int', createdAt: 'at', updatedAt: 'at' } as const satisfies Record<string, ColumnKind>

/** All nouns of neutron v2.0 that are built. */
export const first: Migration = {
  id: '0001-first',
  changes: [
    { createTable: 'networkNetworks', as: {
      columns: {
        ...standard, name: 'text', adminStateUp: 'bool', shared: 'bool', external: 'bool', isDefault: 'bool', portSecurityEnabled: 'bool', mtu: 'int',
        networkType: 'text', physicalNetwork: 'text?', segmentId: 'int', dnsDomain: 'text',
      },
      primaryKey: ['id'], unique: [['segmentId'], ['physicalNetwork']], indexes: [['projectId'], ['name'], ['shared'], ['external']],
    } },
    { createTable: 'networkSubnets', as: {
      columns: {
        ...standard, networkId: 'id', name: 'text', ipVersion: 'int', cidr: 'text', gatewayIp: 'text?', enableDhcp: 'bool', ipv6RaMode: 'text?', ipv6AddressMode: 'text?',
        dnsNameservers: 'long', hostRoutes: 'long', allocationPools: 'long',
      },
      primaryKey: ['id'], unique: [['networkId', 'cidr']], indexes: [['projectId'], ['name']],
    } },
    { createTable: 'networkPorts', as: {
      columns: {
        ...standard, networkId: 'id', name: 'text', macAddress: 'id', adminStateUp: 'bool', deviceId: 'text', deviceOwner: 'text', host: 'text', vnicType: 'text', profile: 'long',
        portSecurityEnabled: 'bool', allowedAddressPairs: 'long', dnsName: 'text',
      },
      primaryKey: ['id'], unique: [['networkId', 'macAddress']], indexes: [['projectId'], ['deviceId'], ['host'], ['name'], ['deviceOwner']],
    } },
    { createTable: 'networkAddresses', as: {
      columns: { networkId: 'id', addressKey: 'id', address: 'id', subnetId: 'id', portId: 'id' },
      primaryKey: ['networkId', 'addressKey'], indexes: [['portId'], ['subnetId', 'addressKey'], ['address']],
    } },
    { createTable: 'networkPortGroups', as: { columns: { portId: 'id', groupId: 'id' }, primaryKey: ['portId', 'groupId'], indexes: [['groupId']] } },
    { createTable: 'networkRouters', as: {
      columns: { ...standard, name: 'text', adminStateUp: 'bool', gatewayPortId: 'id?', gatewayNetworkId: 'id?', enableSnat: 'bool', routes: 'long' },
      primaryKey: ['id'], indexes: [['projectId'], ['gatewayNetworkId'], ['name']],
    } },
    { createTable: 'networkFloatingIps', as: {
      columns: {
        ...standard, floatingNetworkId: 'id', floatingPortId: 'id', floatingIpAddress: 'id', portId: 'id?', fixedIpAddress: 'id?', routerId: 'id?', dnsName: 'text', dnsDomain: 'text',
      },
      // One floating address a fixed address and external network.
      primaryKey: ['id'], unique: [['portId', 'fixedIpAddress', 'floatingNetworkId']], indexes: [['projectId'], ['routerId'], ['floatingNetworkId', 'floatingIpAddress'], ['floatingIpAddress'], ['floatingPortId']],
    } },
    { createTable: 'networkGroups', as: { columns: { ...standard, name: 'text', defaultFor: 'id?' }, primaryKey: ['id'], unique: [['defaultFor']], indexes: [['projectId'], ['name']] } },
    { createTable: 'networkRules', as: {
      columns: {
        ...standard, groupId: 'id', direction: 'text', ethertype: 'text', protocol: 'text?', portRangeMin: 'int?', portRangeMax: 'int?', remoteIpPrefix: 'text?', remoteGroupId: 'id?', fingerprint: 'text',
      },
      primaryKey: ['id'], unique: [['groupId', 'fingerprint']], indexes: [['projectId'], ['remoteGroupId']],
    } },
    { createTable: 'networkTags', as: { columns: { resourceId: 'id', tag: 'text' }, primaryKey: ['resourceId', 'tag'], indexes: [['tag']] } },
    { createTable: 'networkQuotas', as: { columns: { projectId: 'id', resource: 'id', amount: 'int' }, primaryKey: ['projectId', 'resource'] } },
    { createTable: 'networkReports', as: {
      columns: { kind: 'id', resourceId: 'id', host: 'text', state: 'text', detail: 'long', reportedAt: 'at' }, primaryKey: ['kind', 'resourceId', 'host'], indexes: [['host', 'kind']],
    } },
    { createTable: 'networkRemoved', as: { columns: { kind: 'id', resourceId: 'id', removedAt: 'at' }, primaryKey: ['kind', 'resourceId'], indexes: [['removedAt']] } },
    { createTable: 'networkAgents', as: {
      columns: { id: 'id', host: 'text', agentType: 'text', binary: 'text', configurations: 'long', createdAt: 'at', startedAt: 'at', heartbeatAt: 'at' }, primaryKey: ['id'], unique: [['host']],
    } },
  ],
}

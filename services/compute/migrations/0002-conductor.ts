import type { Migration } from '#kit/store/migrations.ts'

/** The cards a server was planned with, in the guest's order. */
export const conductor: Migration = {
  id: '0002-conductor',
  changes: [
    { createTable: 'computeServerNics', as: { columns: { serverId: 'id', position: 'int', portId: 'id', networkId: 'id', userOwned: 'bool', tag: 'text?' }, primaryKey: ['serverId', 'portId'], indexes: [['portId']] } },
  ],
}

// What this host was told about each guest, newest first: late commands are known by their epoch and refused.
import { conflict } from '#base/errors.ts'
import type { Migration } from '#kit/store/migrations.ts'
import { put } from '#kit/store/rows.ts'
import type { Store } from '#kit/store/store.ts'

interface Tables { agentGuests: { host: string, serverId: string, epoch: number, removed: 0 | 1, ports: string } }

export const ledgerMigrations: Migration[] = [{
  id: '0001-guests',
  changes: [{ createTable: 'agentGuests', as: { columns: { host: 'text', serverId: 'id', epoch: 'int', removed: 'bool', ports: 'long' }, primaryKey: ['host', 'serverId'] } }],
}]

export interface Ledger {
  /** Notes that the guest is to be made with these ports; refuses what is older than what was seen, or not newer than a removal. */
  ensure(serverId: string, epoch: number): Promise<void>
  ports(serverId: string, ports: string[]): Promise<void>
  /** Notes the removal and answers the guest's ports; false when a newer command came already. */
  remove(serverId: string, epoch: number): Promise<{ ports: string[] } | false>
  isRemoved(serverId: string): Promise<boolean>
}

export function openLedger(anyStore: Store, host: string): Ledger {
  const store = anyStore.as<Tables>()
  const find = (serverId: string) => store.read((tx) => tx.db.selectFrom('agentGuests').selectAll().where('host', '=', host).where('serverId', '=', serverId).executeTakeFirst())
  const write = (serverId: string, row: Partial<Tables['agentGuests']>): Promise<void> =>
    store.tx((tx) => put(tx, 'agentGuests', { host, serverId }, { epoch: 0, removed: 0, ports: '[]', ...row }), { durable: true })
  return {
    async ensure(serverId, epoch) {
      const known = await find(serverId)
      if (known && (known.epoch > epoch || (known.removed === 1 && known.epoch >= epoch))) throw conflict('A newer command for this server was seen.', { type: 'Superseded' })
      await write(serverId, { epoch, removed: 0, ports: known?.ports ?? '[]' })
    },
    async ports(serverId, ports) {
      await store.tx(async (tx) => { await tx.db.updateTable('agentGuests').set({ ports: JSON.stringify(ports) }).where('host', '=', host).where('serverId', '=', serverId).execute() })
    },
    async remove(serverId, epoch) {
      const known = await find(serverId)
      if (known && known.epoch > epoch) return false
      await write(serverId, { epoch, removed: 1, ports: known?.ports ?? '[]' })
      return { ports: JSON.parse(known?.ports ?? '[]') as string[] }
    },
    isRemoved: async (serverId) => (await find(serverId))?.removed === 1,
  }
}

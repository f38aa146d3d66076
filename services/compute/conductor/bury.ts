// The end of a server's record: history that no longer counts.
import { now } from '#base/time.ts'
import { change } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import { releaseServer } from '../quotas/store.ts'

/** Marks the record deleted and gives its quota back, once however often it is called. */
export async function bury(tx: ComputeTx, serverId: string): Promise<void> {
  const row = await tx.db.selectFrom('computeServers').selectAll().where('id', '=', serverId).executeTakeFirst()
  if (!row) return
  const at = now()
  const buried = await change(tx, 'computeServers', { id: serverId, deletedAt: null }, {
    vmState: 'deleted', taskState: null, deletedAt: at, terminatedAt: at, updatedAt: at, generation: row.generation + 1, progress: 0,
  })
  if (buried > 0) await releaseServer(tx, row)
  for (const table of ['computeInstances', 'computeServerNics', 'computeServerUserData', 'computeServerFiles', 'computeServerGroupMembers'] as const) {
    await tx.db.deleteFrom(table).where('serverId', '=', serverId).execute()
  }
}

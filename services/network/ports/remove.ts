// Taking a port away, in the caller's transaction.
import type { Context } from '#base/context.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { detachFrom } from '../floatingips/attach.ts'
import { forget, release } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'
import { remember, settle } from '../wanted/store.ts'
import { wake, wakePort } from '../wanted/wake.ts'
import * as ports from './store.ts'

/** Its floating IPs are let go, its addresses are free, its host hears of it. `counted`: the caller gives the quota back. */
export async function removePort(tx: NetworkTx, ctx: Context, deps: Deps, row: PortRow, { counted = false } = {}): Promise<void> {
  const groups = (await ports.groupsOf(tx, [row.id])).get(row.id) ?? []
  await detachFrom(tx, ctx, deps, row.id)
  await ports.remove(tx, row.id)
  await forget(tx, 'port', row.id)
  if (!counted) await release(tx, row.projectId, 'port')
  if (row.host === '') return
  await remember(tx, 'port', row.id)
  await wakePort(tx, ctx, deps, row, [row.host], groups)
  if (row.deviceOwner !== 'network:dhcp') await wake(tx, ctx, deps, await settle(tx, row.networkId, deps.config.networkHost), { networks: [row.networkId] })
}

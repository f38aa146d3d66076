// Taking a floating IP away, in the caller's transaction: its own port goes, its router hears of it. The quota is the caller's business.
import type { Context } from '#base/context.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { removePort } from '../ports/remove.ts'
import * as ports from '../ports/store.ts'
import { forget } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'
import { wakeRouter } from '../wanted/wake.ts'
import * as floatingIps from './store.ts'

export async function removeFloatingIp(tx: NetworkTx, ctx: Context, deps: Deps, row: FloatingIpRow): Promise<void> {
  await floatingIps.remove(tx, row.id)
  await forget(tx, 'floatingip', row.id)
  const own = await ports.find(tx, row.floatingPortId)
  if (own) await removePort(tx, ctx, deps, own)
  if (row.routerId !== null) await wakeRouter(tx, ctx, deps, row.routerId)
}

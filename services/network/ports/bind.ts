// Where a port is: binding it to a host and taking it off again, with everybody told whom it concerns.
import type { Context } from '#base/context.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { amend } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'
import { settle } from '../wanted/store.ts'
import { wake, wakePort } from '../wanted/wake.ts'
import * as ports from './store.ts'

/** An empty host unbinds. `left`: security groups that the port was in until now. */
export async function bindTo(tx: NetworkTx, ctx: Context, deps: Deps, row: PortRow, host: string, more: Partial<PortRow> = {}, left: string[] = []): Promise<PortRow> {
  const bound = await amend(tx, 'networkPorts', row, { ...more, host })
  const groups = (await ports.groupsOf(tx, [row.id])).get(row.id) ?? []
  const serving = await settle(tx, row.networkId, deps.config.networkHost)
  await wakePort(tx, ctx, deps, bound, [...new Set([row.host, host])], [...new Set([...groups, ...left])])
  await wake(tx, ctx, deps, serving, { networks: [row.networkId] })
  return bound
}

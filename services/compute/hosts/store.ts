// What the API reads of hosts and of the services on them; they are written by the conductor from the hosts' reports.
import type { ComputeTx } from '../deps.ts'
import { zonesOfHosts } from '../availability-zones/store.ts'
import type { ServiceRow } from '../schema.ts'

/** nova's service_down_time. */
export const downAfterMs = 60_000

export const isUp = (service: Pick<ServiceRow, 'reportedAt' | 'forcedDown'>, at = Date.now()): boolean => service.forcedDown === 0 && Date.parse(service.reportedAt) > at - downAfterMs

export type HostStatus = 'UP' | 'DOWN' | 'UNKNOWN' | 'MAINTENANCE'
export interface HostView { zones: Map<string, string>, statuses: Map<string, HostStatus> }

/** The zone of each host that is not in the default one, and (for administrators) how each is. */
export async function hostView(tx: ComputeTx, withStatus: boolean): Promise<HostView> {
  const zones = await zonesOfHosts(tx), statuses = new Map<string, HostStatus>()
  if (withStatus) for (const service of await computeServices(tx)) {
    statuses.set(service.host, service.disabled === 1 ? 'MAINTENANCE' : service.forcedDown === 1 ? 'DOWN' : isUp(service) ? 'UP' : 'UNKNOWN')
  }
  return { zones, statuses }
}

export const computeServices = (tx: ComputeTx): Promise<ServiceRow[]> => tx.db.selectFrom('computeServices').selectAll().where('binary', '=', 'nova-compute').orderBy('host').execute()

export const hostExists = async (tx: ComputeTx, host: string): Promise<boolean> =>
  await tx.db.selectFrom('computeHosts').select('host').where('host', '=', host).executeTakeFirst() !== undefined

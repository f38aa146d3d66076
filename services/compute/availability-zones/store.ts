// Zones are a key of host aggregates; a host in none is in the default zone.
import type { ComputeTx } from '../deps.ts'

export const defaultZone = 'nova'
/** Where nova shows its own processes; no servers there. */
export const internalZone = 'internal'

/** The zone of each host that is not in the default one. */
export async function zonesOfHosts(tx: ComputeTx): Promise<Map<string, string>> {
  const rows = await tx.db.selectFrom('computeAggregateHosts as h').innerJoin('computeAggregateMetadata as m', 'm.aggregateId', 'h.aggregateId')
    .select(['h.host', 'm.value']).where('m.key', '=', 'availability_zone').execute()
  return new Map(rows.map((r) => [r.host, r.value]))
}

// What the scheduler reads of hosts.
import type { ComputeTx } from '../deps.ts'
import { defaultZone } from '../availability-zones/store.ts'

interface Host { host: string, reportedAt: string, disabled: boolean, zone: string, traits: string[], groupMembers: number }

/** The named hosts with what filters want to know, in a constant number of queries. */
export async function candidates(tx: ComputeTx, names: string[], groupId: string | undefined): Promise<Map<string, Host>> {
  if (names.length === 0) return new Map()
  const hosts = await tx.db.selectFrom('computeHosts').select(['host', 'reportedAt', 'traits']).where('host', 'in', names).execute()
  const services = await tx.db.selectFrom('computeServices').select(['host', 'disabled', 'forcedDown']).where('binary', '=', 'nova-compute').where('host', 'in', names).execute()
  const zones = await tx.db.selectFrom('computeAggregateHosts as h').innerJoin('computeAggregateMetadata as m', 'm.aggregateId', 'h.aggregateId')
    .select(['h.host', 'm.value']).where('m.key', '=', 'availability_zone').where('h.host', 'in', names).execute()
  const members = groupId === undefined ? [] : await tx.db.selectFrom('computeServerGroupMembers as g').innerJoin('computeServers as s', 's.id', 'g.serverId')
    .select('s.host').where('g.groupId', '=', groupId).where('s.deletedAt', 'is', null).execute()
  const serviceOf = new Map(services.map((s) => [s.host, s])), zoneOf = new Map(zones.map((z) => [z.host, z.value]))
  return new Map(hosts.map((h) => [h.host, {
    host: h.host, reportedAt: serviceOf.get(h.host)?.forcedDown ? '' : h.reportedAt, disabled: serviceOf.get(h.host)?.disabled === 1,
    zone: zoneOf.get(h.host) ?? defaultZone, traits: JSON.parse(h.traits) as string[], groupMembers: members.filter((m) => m.host === h.host).length,
  }]))
}

export const groupIsSomewhere = async (tx: ComputeTx, groupId: string): Promise<boolean> =>
  await tx.db.selectFrom('computeServerGroupMembers as g').innerJoin('computeServers as s', 's.id', 'g.serverId').select('s.id')
    .where('g.groupId', '=', groupId).where('s.deletedAt', 'is', null).where('s.host', 'is not', null).limit(1).executeTakeFirst() !== undefined

export const ofProvider = async (tx: ComputeTx, providerId: string): Promise<string | undefined> =>
  (await tx.db.selectFrom('computeHosts').select('host').where('id', '=', providerId).executeTakeFirst())?.host

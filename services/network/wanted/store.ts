// What is bound where, and who is concerned by a change.
import { now } from '#base/time.ts'
import { change, insertIfAbsent } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import type { RemovedRow } from '../schema.ts'
import { padded } from '../resource/store.ts'

/** Hosts that hold ports of a network. */
export const hostsOf = async (tx: NetworkTx, networkId: string): Promise<string[]> =>
  (await tx.db.selectFrom('networkPorts').select('host').distinct().where('networkId', '=', networkId).where('host', '!=', '').execute()).map((r) => r.host)

export const routersOn = async (tx: NetworkTx, networkId: string): Promise<string[]> =>
  (await tx.db.selectFrom('networkPorts').select('deviceId').distinct().where('networkId', '=', networkId).where('deviceOwner', 'in', ['network:router_interface', 'network:router_gateway']).execute()).map((r) => r.deviceId)

/** The host that serves a network's addresses, while it does. */
export const dhcpHost = async (tx: NetworkTx, networkId: string): Promise<string | undefined> =>
  (await tx.db.selectFrom('networkPorts').select('host').where('networkId', '=', networkId).where('deviceOwner', '=', 'network:dhcp').where('host', '!=', '').executeTakeFirst())?.host

/** Bound ports in any of the groups. */
export const portsConcernedBy = (tx: NetworkTx, groupIds: string[]): Promise<{ id: string, host: string }[]> =>
  tx.db.selectFrom('networkPorts').select(['id', 'host']).where('host', '!=', '')
    .where('id', 'in', (eb) => eb.selectFrom('networkPortGroups').select('portId').where('groupId', 'in', padded(groupIds))).execute()

/** Groups with a rule that lets members of these groups in (or out to them). */
export const groupsNaming = async (tx: NetworkTx, groupIds: string[]): Promise<string[]> =>
  (await tx.db.selectFrom('networkRules').select('groupId').distinct().where('remoteGroupId', 'in', padded(groupIds)).execute()).map((r) => r.groupId)

/**
 * A network is served only while somebody is on it: its DHCP port is bound when the first other port or router arrives, and unbound when the last has gone.
 * Answers the hosts whose share of the network changed.
 */
export async function settle(tx: NetworkTx, networkId: string, networkHost: string): Promise<string[]> {
  const ports = await tx.db.selectFrom('networkPorts').select(['deviceOwner', 'host']).distinct().where('networkId', '=', networkId)
    .where((eb) => eb.or([eb('host', '!=', ''), eb('deviceOwner', '=', 'network:dhcp')])).execute()
  const dhcp = ports.find((p) => p.deviceOwner === 'network:dhcp')
  if (!dhcp) return []
  const host = ports.some((p) => p.deviceOwner !== 'network:dhcp' && p.host !== '') ? networkHost : ''
  if (dhcp.host === host) return []
  await change(tx, 'networkPorts', { networkId, deviceOwner: 'network:dhcp' }, { host })
  return [dhcp.host || host]
}

/** Leaves a note that the thing is gone, for agents that come late. */
export const remember = async (tx: NetworkTx, kind: RemovedRow['kind'], resourceId: string): Promise<void> => {
  await insertIfAbsent(tx, 'networkRemoved', { kind, resourceId, removedAt: now() })
}

/** Forgets notes older than `before`, at the heartbeat. */
export const prune = async (tx: NetworkTx, before: string): Promise<void> => {
  await tx.db.deleteFrom('networkRemoved').where('removedAt', '<', before).execute()
}

// What is bound where, and who is concerned by a change.
import { now } from '#base/time.ts'
import { change, insertIfAbsent, put } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import type { PortRow, RemovedRow, ReportKind, ReportRow, SubnetRow } from '../schema.ts'
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

/** Which of these groups are named by the rules of bound ports, and on which hosts these are. */
export async function groupsNamedOn(tx: NetworkTx, groupIds: string[], onlyHost?: string): Promise<{ host: string, groupId: string }[]> {
  if (groupIds.length === 0) return []
  const naming = await tx.db.selectFrom('networkRules').select(['groupId', 'remoteGroupId']).distinct().where('remoteGroupId', 'in', padded(groupIds)).execute()
  if (naming.length === 0) return []
  const holders = await tx.db.selectFrom('networkPortGroups').innerJoin('networkPorts', 'networkPorts.id', 'networkPortGroups.portId').select(['networkPorts.host', 'networkPortGroups.groupId']).distinct()
    .where('networkPortGroups.groupId', 'in', padded([...new Set(naming.map((r) => r.groupId))])).$if(onlyHost !== undefined, (q) => q.where('networkPorts.host', '=', onlyHost!)).where('networkPorts.host', '!=', '').execute()
  const found = new Map(holders.flatMap(({ host, groupId: holder }) => naming.filter((r) => r.groupId === holder).map((r) => [`${host} ${r.remoteGroupId}`, { host, groupId: r.remoteGroupId! }])))
  return [...found.values()]
}

/** Groups that the rules of these groups name. */
export const groupsNamedBy = async (tx: NetworkTx, groupIds: string[]): Promise<string[]> => groupIds.length === 0 ? [] :
  (await tx.db.selectFrom('networkRules').select('remoteGroupId').distinct().where('groupId', 'in', padded(groupIds)).where('remoteGroupId', 'is not', null).execute()).map((r) => r.remoteGroupId!)

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

export const subnetsOf = async (tx: NetworkTx, networkIds: string[]): Promise<SubnetRow[]> =>
  networkIds.length === 0 ? [] : tx.db.selectFrom('networkSubnets').selectAll().where('networkId', 'in', padded(networkIds)).orderBy('createdAt').orderBy('id').execute()
/** Ports that are bound to any host. */
export const boundOn = async (tx: NetworkTx, networkIds: string[]): Promise<PortRow[]> =>
  networkIds.length === 0 ? [] : tx.db.selectFrom('networkPorts').selectAll().where('networkId', 'in', padded(networkIds)).where('host', '!=', '').orderBy('id').execute()
/** Those of the networks whose addresses are served from this host. */
export const servedFrom = async (tx: NetworkTx, networkIds: string[], host: string): Promise<string[]> => networkIds.length === 0 ? [] :
  (await tx.db.selectFrom('networkPorts').select('networkId').distinct().where('networkId', 'in', padded(networkIds)).where('deviceOwner', '=', 'network:dhcp').where('host', '=', host).execute()).map((r) => r.networkId)
/** Those of the networks that have ports on this host. */
export const networksOn = async (tx: NetworkTx, host: string, networkIds: string[]): Promise<string[]> => networkIds.length === 0 ? [] :
  (await tx.db.selectFrom('networkPorts').select('networkId').distinct().where('networkId', 'in', padded(networkIds)).where('host', '=', host).execute()).map((r) => r.networkId)
export const boundTo = (tx: NetworkTx, host: string): Promise<PortRow[]> => tx.db.selectFrom('networkPorts').selectAll().where('host', '=', host).execute()

/** Addresses (and further allowed ones) of the bound members of groups. */
export async function memberAddresses(tx: NetworkTx, groupIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(groupIds.map((id) => [id, []]))
  if (groupIds.length === 0) return found
  const rows = await tx.db.selectFrom('networkPortGroups').innerJoin('networkPorts', 'networkPorts.id', 'networkPortGroups.portId')
    .innerJoin('networkAddresses', 'networkAddresses.portId', 'networkPorts.id').select(['networkPortGroups.groupId', 'networkAddresses.address', 'networkPorts.allowedAddressPairs'])
    .where('networkPortGroups.groupId', 'in', padded(groupIds)).where('networkPorts.host', '!=', '').execute()
  for (const { groupId, address, allowedAddressPairs } of rows) {
    const pairs = allowedAddressPairs === '[]' ? [] : (JSON.parse(allowedAddressPairs) as { ip_address: string }[]).map((p) => p.ip_address)
    found.get(groupId)?.push(address, ...pairs)
  }
  return found
}

/** Which of these are remembered as removed. */
export const removedAmong = async (tx: NetworkTx, kind: RemovedRow['kind'], ids: string[]): Promise<Set<string>> =>
  new Set(ids.length === 0 ? [] : (await tx.db.selectFrom('networkRemoved').select('resourceId').where('kind', '=', kind).where('resourceId', 'in', padded(ids)).execute()).map((r) => r.resourceId))

/** Which of these stand, whatever their state. */
export const standing = async (tx: NetworkTx, table: 'networkNetworks' | 'networkPorts' | 'networkRouters' | 'networkFloatingIps', ids: string[]): Promise<Set<string>> =>
  new Set(ids.length === 0 ? [] : (await tx.db.selectFrom(table).select('id').where('id', 'in', padded(ids)).execute()).map((r) => r.id))

/** Writes a host's word on its things; only what stands is kept. */
export async function reported(tx: NetworkTx, host: string, kind: ReportKind, states: { id: string, state: ReportRow['state'], detail?: string }[]): Promise<void> {
  for (const { id, state, detail } of states) await put(tx, 'networkReports', { kind, resourceId: id, host }, { state, detail: detail ?? '', reportedAt: now() })
}
/** What a host said of things of one kind; of these only, if given. */
export const reportsOf = (tx: NetworkTx, host: string, kind: ReportKind, ids?: string[]): Promise<ReportRow[]> => tx.db.selectFrom('networkReports').selectAll().where('host', '=', host).where('kind', '=', kind)
  .$if(ids !== undefined, (q) => q.where('resourceId', 'in', padded(ids!))).execute()

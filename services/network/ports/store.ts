// Rows of ports and their security groups.
import { randomBytes } from 'node:crypto'
import { insert } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import { lostRace } from '../resource/race.ts'
import { padded, tagFilters, type Condition, type Filters } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'

export const find = (tx: NetworkTx, id: string): Promise<PortRow | undefined> => tx.db.selectFrom('networkPorts').selectAll().where('id', '=', id).executeTakeFirst()
export const byIds = async (tx: NetworkTx, ids: string[]): Promise<PortRow[]> =>
  ids.length === 0 ? [] : tx.db.selectFrom('networkPorts').selectAll().where('id', 'in', padded(ids)).execute()
export const onNetwork = (tx: NetworkTx, networkId: string): Promise<PortRow[]> => tx.db.selectFrom('networkPorts').selectAll().where('networkId', '=', networkId).execute()
export const byMac = (tx: NetworkTx, networkId: string, mac: string): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('networkPorts').select('id').where('networkId', '=', networkId).where('macAddress', '=', mac).executeTakeFirst()
export const ofDevice = (tx: NetworkTx, deviceId: string, owner: string): Promise<PortRow[]> =>
  tx.db.selectFrom('networkPorts').selectAll().where('deviceId', '=', deviceId).where('deviceOwner', '=', owner).orderBy('createdAt').orderBy('id').execute()

/** OpenStack's own prefix; the unique index finds the rare twin, and the transaction runs again. */
export const newMac = (): string => ['fa', '16', '3e', ...[...randomBytes(3)].map((b) => b.toString(16).padStart(2, '0'))].join(':')

export const add = (tx: NetworkTx, row: PortRow): Promise<void> => insert(tx, 'networkPorts', { ...row }, lostRace)

export async function remove(tx: NetworkTx, id: string): Promise<void> {
  for (const table of ['networkPortGroups', 'networkAddresses'] as const) await tx.db.deleteFrom(table).where('portId', '=', id).execute()
  await tx.db.deleteFrom('networkPorts').where('id', '=', id).execute()
}

/** Security groups by port. */
export async function groupsOf(tx: NetworkTx, portIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (portIds.length === 0) return found
  for (const { portId, groupId } of await tx.db.selectFrom('networkPortGroups').selectAll().where('portId', 'in', padded(portIds)).orderBy('groupId').execute()) {
    const known = found.get(portId)
    if (known) known.push(groupId)
    else found.set(portId, [groupId])
  }
  return found
}

export async function setGroups(tx: NetworkTx, portId: string, groupIds: string[]): Promise<void> {
  await tx.db.deleteFrom('networkPortGroups').where('portId', '=', portId).execute()
  await insert(tx, 'networkPortGroups', groupIds.map((groupId) => ({ portId, groupId })), lostRace)
}

/** `fixed_ips=ip_address=10.0.0.5`, `fixed_ips=subnet_id=…`, `fixed_ips=ip_address_substr=10.0.`: each kind narrows, values of a kind are alternatives. */
const fixedIps: Filters[string] = (eb, values) => {
  const asked = new Map<string, string[]>()
  for (const value of values) {
    const at = value.indexOf('=')
    const [name, wanted] = at < 0 ? ['ip_address', value] : [value.slice(0, at), value.slice(at + 1)]
    asked.set(name, [...asked.get(name) ?? [], wanted])
  }
  const holds = (narrow: (of: any) => Condition): Condition => eb('id', 'in', eb.selectFrom('networkAddresses').select('portId').where(narrow))
  const conditions: Condition[] = []
  for (const [name, wanted] of asked) {
    if (name === 'ip_address') conditions.push(holds((of) => of('address', 'in', wanted)))
    else if (name === 'subnet_id') conditions.push(holds((of) => of('subnetId', 'in', wanted)))
    else if (name === 'ip_address_substr') conditions.push(holds((of) => of.or(wanted.map((w) => of('address', 'like', `%${w.replace(/[^0-9a-fA-F.:]/g, '')}%`)))))
  }
  return eb.and(conditions)
}

type Eb = Parameters<Filters[string]>[0]
const reported = (eb: Eb, state: string): Condition =>
  eb('id', 'in', eb.selectFrom('networkReports').select('resourceId').where('kind', '=', 'port').where('state', '=', state).whereRef('networkReports.host', '=', 'networkPorts.host'))
const active = (eb: Eb): Condition => eb.and([eb('adminStateUp', '=', 1), eb('deviceOwner', '!=', 'network:floatingip'), reported(eb, 'up')])
const failed = (eb: Eb): Condition => eb.and([eb('deviceOwner', '!=', 'network:floatingip'), reported(eb, 'error')])
const statuses: Record<string, (eb: Eb) => Condition> = {
  'ACTIVE': active, 'ERROR': failed, 'N/A': (eb) => eb('deviceOwner', '=', 'network:floatingip'),
  'DOWN': (eb) => eb.and([eb('deviceOwner', '!=', 'network:floatingip'), eb.not(active(eb)), eb.not(failed(eb))]),
}
export const filters: Filters = {
  ...tagFilters,
  fixed_ips: fixedIps,
  ip_address: (eb, values) => fixedIps(eb, values.map((v) => `ip_address=${v}`)),
  subnet_id: (eb, values) => fixedIps(eb, values.map((v) => `subnet_id=${v}`)),
  security_groups: (eb, values) => eb('id', 'in', eb.selectFrom('networkPortGroups').select('portId').where('groupId', 'in', values)),
  status: (eb, values) => eb.or(values.flatMap((v) => Object.hasOwn(statuses, v) ? [statuses[v]!(eb)] : [])),
}

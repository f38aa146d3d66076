// Making a port, in the caller's transaction: for the API, for routers, DHCP and floating IPs, and for compute's sagas.
import { now } from '#base/time.ts'
import { newId } from '#base/ids.ts'
import { flag } from '#kit/store/store.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { groupsNeedSecurity, macInUse, pairsNeedSecurity } from '../faults.ts'
import { allocateDefault, allocateWanted, type WantedIp } from '../ipam/allocate.ts'
import type { FixedIp } from '../ipam/store.ts'
import { ensureDefaultGroup } from '../security-groups/default.ts'
import type { NetworkRow, PortRow } from '../schema.ts'
import * as subnets from '../subnets/store.ts'
import { checkGroups, checkPairs } from './check.ts'
import type { Pair } from './noun.ts'
import * as ports from './store.ts'

export interface PortPlan {
  id?: string
  projectId: string
  name?: string
  description?: string
  macAddress?: string
  adminStateUp?: boolean
  deviceId?: string
  deviceOwner?: string
  host?: string
  vnicType?: string
  profile?: Record<string, unknown> | null
  /** Absent: one of each kind. Empty: none. */
  fixedIps?: WantedIp[]
  /** Only IPv4 addresses: a floating IP's own port. */
  onlyIpv4?: boolean
  /** Absent: the project's default group, where there can be one. */
  groupIds?: string[]
  /** May only be groups of the port's own project. */
  ownGroupsOnly?: boolean
  portSecurityEnabled?: boolean
  pairs?: Pair[]
  dnsName?: string
}

/** Answers the row; addresses and groups are written. The quota is the caller's business. */
export async function makePort(tx: NetworkTx, deps: Deps, on: NetworkRow, plan: PortPlan, attempt: number): Promise<PortRow> {
  const at = now(), service = plan.deviceOwner?.startsWith('network:') === true
  const security = plan.portSecurityEnabled ?? (!service && on.portSecurityEnabled === 1)
  if (plan.macAddress !== undefined && await ports.byMac(tx, on.id, plan.macAddress)) throw macInUse(on.id, plan.macAddress)
  const macAddress = plan.macAddress ?? ports.newMac(), pairs = checkPairs(plan.pairs ?? [], macAddress)
  if (pairs.length > 0 && !security) throw pairsNeedSecurity()
  const row: PortRow = {
    id: plan.id ?? newId(), projectId: plan.projectId, description: plan.description ?? '', revision: 1, createdAt: at, updatedAt: at, networkId: on.id, name: plan.name ?? '',
    macAddress, adminStateUp: flag(plan.adminStateUp ?? true), deviceId: plan.deviceId ?? '', deviceOwner: plan.deviceOwner ?? '', host: plan.host ?? '',
    vnicType: plan.vnicType ?? 'normal', profile: JSON.stringify(plan.profile ?? {}), portSecurityEnabled: flag(security), allowedAddressPairs: JSON.stringify(pairs), dnsName: plan.dnsName ?? '',
  }
  await ports.add(tx, row)
  const all = await subnets.ofNetwork(tx, on.id), offered = plan.onlyIpv4 ? all.filter((s) => s.ipVersion === 4) : all
  if (plan.fixedIps) await allocateWanted(tx, row, offered, plan.fixedIps, attempt)
  else await allocateDefault(tx, row, offered, attempt)

  if (plan.groupIds && plan.groupIds.length > 0 && !security) throw groupsNeedSecurity()
  const groupIds = plan.groupIds ?? (security && !service && plan.projectId !== '' ? [(await ensureDefaultGroup(tx, plan.projectId)).id] : [])
  if (plan.groupIds) await checkGroups(tx, groupIds, plan.ownGroupsOnly ? plan.projectId : undefined)
  await ports.setGroups(tx, row.id, [...new Set(groupIds)])
  return row
}

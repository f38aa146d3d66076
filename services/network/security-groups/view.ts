// https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups
import type { Deps, NetworkTx } from '../deps.ts'
import { formatCidr, parseCidr } from '../ipam/ip.ts'
import { standardView } from '../resource/noun.ts'
import { tagsOf } from '../resource/store.ts'
import type { GroupRow, RuleRow } from '../schema.ts'
import * as groups from './store.ts'

const numberOrNull = (value: number | null): number | null => value === null ? null : Number(value)

export const ruleView = (row: RuleRow): Record<string, unknown> => ({
  ...standardView(row), security_group_id: row.groupId, direction: row.direction, ethertype: row.ethertype, protocol: row.protocol,
  port_range_min: numberOrNull(row.portRangeMin), port_range_max: numberOrNull(row.portRangeMax), remote_ip_prefix: row.remoteIpPrefix, remote_group_id: row.remoteGroupId,
  normalized_cidr: row.remoteIpPrefix === null ? null : formatCidr(parseCidr(row.remoteIpPrefix)!),
})
export const ruleViews = async (_tx: NetworkTx, rows: RuleRow[], _deps: Deps): Promise<Record<string, unknown>[]> => rows.map(ruleView)

export async function groupViews(tx: NetworkTx, rows: GroupRow[], _deps: Deps): Promise<Record<string, unknown>[]> {
  const ids = rows.map((row) => row.id)
  const rules = await groups.rulesOf(tx, ids), tags = await tagsOf(tx, ids)
  return rows.map((row) => ({ ...standardView(row), security_group_rules: (rules.get(row.id) ?? []).map(ruleView), tags: tags.get(row.id) ?? [] }))
}

// Every project has a default security group from the moment it is needed: everything goes out, members reach each other, nothing else comes in.
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { defaultConfig, type NetworkTx } from '../deps.ts'
import { claim } from '../resource/store.ts'
import type { GroupRow, RuleRow } from '../schema.ts'
import * as groups from './store.ts'

/** What makes two rules of a group the same. */
export const fingerprint = (r: Pick<RuleRow, 'direction' | 'ethertype' | 'protocol' | 'portRangeMin' | 'portRangeMax' | 'remoteIpPrefix' | 'remoteGroupId'>): string =>
  [r.direction, r.ethertype, r.protocol ?? '', r.portRangeMin ?? '', r.portRangeMax ?? '', r.remoteIpPrefix ?? '', r.remoteGroupId ?? ''].join('|')

const counting = { config: defaultConfig }

/** The rules a new group starts with: all egress; the default group also lets its own members in. */
export function firstRules(group: GroupRow, own: boolean): RuleRow[] {
  const at = group.createdAt
  const rule = (direction: RuleRow['direction'], ethertype: RuleRow['ethertype']): RuleRow => {
    const plain = {
      direction, ethertype, protocol: null, portRangeMin: null, portRangeMax: null, remoteIpPrefix: null, remoteGroupId: direction === 'ingress' ? group.id : null,
    }
    return { id: newId(), projectId: group.projectId, description: '', revision: 1, createdAt: at, updatedAt: at, groupId: group.id, ...plain, fingerprint: fingerprint(plain) }
  }
  return [...(own ? [rule('ingress', 'IPv4'), rule('ingress', 'IPv6')] : []), rule('egress', 'IPv4'), rule('egress', 'IPv6')]
}

/** Counted, but never refused for a quota: without it no port could be made at all. */
export async function ensureDefaultGroup(tx: NetworkTx, projectId: string): Promise<GroupRow> {
  const standing = await groups.defaultOf(tx, projectId)
  if (standing) return standing
  const at = now()
  const group: GroupRow = { id: newId(), projectId, name: 'default', description: 'Default security group', revision: 1, createdAt: at, updatedAt: at, defaultFor: projectId }
  await groups.add(tx, group)
  const rules = firstRules(group, true)
  await groups.addRules(tx, rules)
  await claim(tx, counting, projectId, 'security_group', 'free')
  for (const _rule of rules) await claim(tx, counting, projectId, 'security_group_rule', 'free')
  return group
}

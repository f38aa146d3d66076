// One rule of a security group. Rules are made and removed, never changed.
import * as policy from '../policy.ts'
import { ruleNotFound } from '../faults.ts'
import { free, once, readOnly } from '../resource/attributes.ts'
import * as kinds from '../resource/kinds.ts'
import { standardAttributes, type Noun } from '../resource/noun.ts'
import { ownedBy } from '../resource/store.ts'
import type { RuleRow } from '../schema.ts'
import * as groups from '../security-groups/store.ts'
import { ruleViews } from '../security-groups/view.ts'
import { Type } from '#kit/http/schema.ts'

const { name: _noName, ...standard } = standardAttributes
const protocol: kinds.Kind<string | null> = {
  schema: Type.Unsafe<unknown>({ anyOf: [{ type: 'string', maxLength: 32 }, { type: 'integer', minimum: 0, maximum: 255 }, { type: 'null' }] }), convert: (value) => String(value).toLowerCase(), sql: 'text',
}
// Bounds are checked with the rule: neutron has its own words for them.
const port = kinds.integerOrNull(-2_147_483_648, 2_147_483_647)
export const attributes = {
  ...standard,
  security_group_id: once(kinds.uuid, { column: 'groupId', required: true }),
  direction: once(kinds.choice('ingress', 'egress'), { column: 'direction', required: true }),
  ethertype: once(kinds.text(8), { column: 'ethertype' }),
  protocol: once(protocol, { column: 'protocol' }),
  port_range_min: once(port, { column: 'portRangeMin' }),
  port_range_max: once(port, { column: 'portRangeMax' }),
  remote_ip_prefix: once(kinds.textOrNull(64), { column: 'remoteIpPrefix' }),
  remote_group_id: once(kinds.textOrNull(64), { column: 'remoteGroupId' }),
  normalized_cidr: readOnly(kinds.shown),
  description: free(kinds.text(), { column: 'description', fallback: '' }),
} as const

export const securityGroupRule: Noun<RuleRow, typeof attributes> = {
  one: 'security_group_rule', many: 'security_group_rules', path: '/security-group-rules', title: 'SecurityGroupRule', titles: 'SecurityGroupRules', table: 'networkRules',
  attributes, filters: {}, visible: ownedBy, reads: policy.read, changes: policy.change, missing: ruleNotFound, quota: 'security_group_rule', view: ruleViews,
  async find(tx, id) {
    const row = await groups.findRule(tx, id)
    return row && { row, owner: { projectId: row.projectId } }
  },
}

import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aGroup, aRule } from '../testing/fixtures.ts'

export const access: AccessCase[] = [
  { operation: 'listSecurityGroupRules', expect: verdicts.listing() },
  { operation: 'showSecurityGroupRule', request: async (w) => ({ params: { security_group_rule_id: (await aRule(w)).id } }), expect: verdicts.reader() },
  { operation: 'createSecurityGroupRule', request: async (w) => ({ body: { security_group_rule: { security_group_id: (await aGroup(w)).id, direction: 'ingress', protocol: 'icmp' } } }), expect: verdicts.member(201) },
  { operation: 'deleteSecurityGroupRule', request: async (w) => ({ params: { security_group_rule_id: (await aRule(w)).id } }), expect: verdicts.member(204) },
]

// What a rule may say, and its one spelling.
import { badRule } from '../faults.ts'
import { formatIp, parseCidr, parseIp } from '../ipam/ip.ts'
import type { Values } from '../resource/attributes.ts'
import type { RuleRow } from '../schema.ts'
import type { attributes } from './noun.ts'

const ports = ['tcp', 'udp', 'udplite', 'sctp', 'dccp', '6', '17', '136', '132', '33']
const icmp = ['icmp', 'ipv6-icmp', '1', '58']
const onlyV6 = ['ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route'], onlyV6Numbers = [41, 44, 58, 59, 60, 43]
const names = ['ah', 'dccp', 'egp', 'esp', 'gre', 'hopopt', 'icmp', 'igmp', 'ip', 'ipip', 'ospf', 'pgm', 'rsvp', 'sctp', 'tcp', 'udp', 'udplite', 'vrrp', ...onlyV6]

/** icmp means its own version's protocol; "any" means all. */
function protocolOf(asked: string | null | undefined, ethertype: RuleRow['ethertype']): string | null {
  if (asked === null || asked === undefined || asked === 'any' || asked === '-1') return null
  const name = asked === 'icmpv6' || (asked === 'icmp' && ethertype === 'IPv6') ? 'ipv6-icmp' : asked
  if (!names.includes(name) && !(/^\d{1,3}$/.test(name) && Number(name) <= 255)) {
    throw badRule('SecurityGroupRuleInvalidProtocol', `Security group rule protocol ${asked} not supported. Only protocol values [${names.join(', ')}] and integer representations [0 to 255] are supported.`)
  }
  if ((onlyV6.includes(name) || onlyV6Numbers.includes(Number(name))) && ethertype === 'IPv4') throw badRule('SecurityGroupEthertypeConflictWithProtocol', `Invalid ethertype ${ethertype} for protocol ${asked}.`)
  return name
}

function prefixOf(asked: string, ethertype: RuleRow['ethertype']): string {
  const cidr = parseCidr(asked)
  if (!cidr) throw badRule('InvalidCIDR', `Invalid CIDR ${asked.slice(0, 64)} given as IP prefix.`)
  if ((cidr.version === 4) !== (ethertype === 'IPv4')) throw badRule('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${ethertype} for CIDR ${asked}`)
  return `${formatIp(parseIp(asked.split('/')[0]!)!)}/${cidr.prefix}`
}

function checkRange(protocol: string | null, min: number | null, max: number | null): void {
  if (min === null && max === null) return
  if (protocol === null) throw badRule('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.')
  if (ports.includes(protocol)) {
    if (min === null || max === null || min < 1 || min > max) {
      throw badRule('SecurityGroupInvalidPortRange', min === 0 ? 'Invalid value for port 0' : 'For TCP/UDP protocols, port_range_min must be <= port_range_max')
    }
  } else if (icmp.includes(protocol)) {
    for (const [field, attribute, value] of [['type', 'port_range_min', min], ['code', 'port_range_max', max]] as const) {
      if (value !== null && (value < 0 || value > 255)) throw badRule('SecurityGroupInvalidIcmpValue', `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`)
    }
    if (min === null) throw badRule('SecurityGroupMissingIcmpType', `ICMP code (port-range-max) ${max} is provided but ICMP type (port-range-min) is missing.`)
  } else {
    throw badRule('SecurityGroupInvalidProtocolForPort', `Invalid protocol ${protocol} for port range, only supported for TCP, UDP, UDPLITE, SCTP and DCCP.`)
  }
}

export type RuleParts = Pick<RuleRow, 'direction' | 'ethertype' | 'protocol' | 'portRangeMin' | 'portRangeMax' | 'remoteIpPrefix' | 'remoteGroupId'>

/** The rule as it is kept. Throws neutron's faults. */
export function ruleOf(values: Values<typeof attributes>): RuleParts {
  const asked = (values.ethertype ?? 'IPv4').toLowerCase()
  if (asked !== 'ipv4' && asked !== 'ipv6') {
    throw badRule('SecurityGroupRuleInvalidEtherType', `Security group rule for ethertype '${values.ethertype}' not supported. Allowed values are ['IPv4', 'IPv6'].`)
  }
  const ethertype = asked === 'ipv4' ? 'IPv4' : 'IPv6'
  const protocol = protocolOf(values.protocol, ethertype), min = values.port_range_min ?? null, max = values.port_range_max ?? null
  for (const port of [min, max]) if (port !== null && (port < 0 || port > 65535)) throw badRule('SecurityGroupInvalidPortValue', `Invalid value for port ${port}`)
  checkRange(protocol, min, max)
  if (values.remote_ip_prefix && values.remote_group_id) throw badRule('SecurityGroupRemoteGroupAndRemoteIpPrefix', 'Only remote_ip_prefix or remote_group_id may be provided.')
  return {
    direction: values.direction!, ethertype, protocol, portRangeMin: min, portRangeMax: max,
    remoteIpPrefix: values.remote_ip_prefix ? prefixOf(values.remote_ip_prefix, ethertype) : null, remoteGroupId: values.remote_group_id ?? null,
  }
}

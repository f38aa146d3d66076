// What of neutron's extensions is honoured here. An alias stands in this list only when all of it works.
// https://docs.openstack.org/api-ref/network/v2/#extensions
import { operation } from '../deps.ts'
import { extensionNotFound } from '../faults.ts'
import { anyReader } from '../policy.ts'

const table: [alias: string, name: string, description: string][] = [
  ['agent', 'agent', 'Agents and whether they are alive.'],
  ['allowed-address-pairs', 'Allowed Address Pairs', 'Further addresses that a port may use.'],
  ['availability_zone', 'Availability Zone', 'Availability zones.'],
  ['binding', 'Port Binding', 'Where a port is bound, and how.'],
  ['dns-integration', 'DNS Integration', 'Names of ports and the domain of networks.'],
  ['empty-string-filtering', 'Empty String Filtering Extension', 'Filters by an empty value.'],
  ['ext-gw-mode', 'Neutron L3 Configurable external gateway mode', 'Routers with and without source NAT.'],
  ['external-net', 'Neutron external network', 'Networks that lead outside.'],
  ['extraroute', 'Neutron Extra Route', 'Static routes of routers.'],
  ['extraroute-atomic', 'Atomically add/remove extra routes', 'Some of the static routes of a router, added or removed.'],
  ['filter-validation', 'Filter parameters validation', 'Unknown filters are refused.'],
  ['fip-port-details', 'Floating IP Port Details Extension', "A floating IP's port at a glance."],
  ['ip-substring-filtering', 'IP address substring filtering', 'Ports by a part of their address.'],
  ['net-mtu', 'Network MTU', 'The MTU of networks.'],
  ['net-mtu-writable', 'Network MTU (writable)', 'The MTU of networks can be set.'],
  ['pagination', 'Pagination support', 'Lists come in pages.'],
  ['port-security', 'Port Security', 'Ports without filters and anti-spoofing.'],
  ['port-security-groups-filtering', 'Port filtering on security groups', 'Ports by security group.'],
  ['project-id', 'project_id field enabled', 'Projects are called project_id as well as tenant_id.'],
  ['provider', 'Provider Network', 'How a network is built.'],
  ['quota_details', 'Quota details management support', 'Quotas with what is used.'],
  ['quotas', 'Quota management support', 'Limits of projects.'],
  ['revision-if-match', 'If-Match constraints based on revision_number', 'Changes only of what is at the revision that the caller saw.'],
  ['router', 'Neutron L3 Router', 'Routers and floating IPs.'],
  ['security-group', 'security-group', 'Security groups and their rules.'],
  ['security-groups-normalized-cidr', 'Normalized CIDR field for security group rules', "A rule's prefix without host bits."],
  ['service-type', 'Neutron Service Type Management', 'What carries out services such as routers.'],
  ['sorting', 'Sorting support', 'Lists come in the order asked for.'],
  ['standard-attr-description', 'standard-attr-description', 'Descriptions of all resources.'],
  ['standard-attr-revisions', 'Resource revision numbers', 'Every change raises the revision number.'],
  ['standard-attr-tag', 'Tag support for resources with standard attribute: floatingip, network, port, router, security_group, subnet', 'Tags.'],
  ['standard-attr-timestamp', 'Resource timestamps', 'When resources were made and changed.'],
]
const extensions = table.map(([alias, name, description]) => ({ alias, name, description, updated: '2026-01-01T00:00:00-00:00', links: [] }))

export const listExtensions = operation({
  name: 'listExtensions', method: 'GET', path: '/extensions', summary: 'List what is built beyond the core.', access: anyReader,
  handle: async () => ({ extensions }),
})
export const showExtension = operation({
  name: 'showExtension', method: 'GET', path: '/extensions/{alias}', summary: 'Show an extension.', access: anyReader,
  faults: ['notFound'],
  async handle(_ctx, { params }) {
    const extension = extensions.find((e) => e.alias === params.alias)
    if (!extension) throw extensionNotFound(params.alias!)
    return { extension }
  },
})

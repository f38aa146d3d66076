// Things that access cases and tests need to stand: made over HTTP, as a persona.
import type { AccessWorld, Persona } from '#kit/testing/access.ts'

const create = async (w: AccessWorld, as: Persona, operation: string, one: string, values: Record<string, unknown>): Promise<any> =>
  (await w.call<Record<string, any>>(as, 'network', operation, { body: { [one]: values } })).body[one]

export const aNetwork = (w: AccessWorld, values: object = {}, as: Persona = 'member'): Promise<{ id: string }> => create(w, as, 'createNetwork', 'network', { name: w.unique('net'), ...values })
export async function aSubnet(w: AccessWorld, values: Record<string, unknown> = {}, as: Persona = 'member'): Promise<{ id: string, network_id: string }> {
  const networkId = values.network_id ?? (await aNetwork(w, {}, as)).id
  return create(w, as, 'createSubnet', 'subnet', { network_id: networkId, ip_version: 4, cidr: '10.1.0.0/24', ...values })
}
export async function aPort(w: AccessWorld, values: Record<string, unknown> = {}, as: Persona = 'member'): Promise<{ id: string, network_id: string }> {
  const networkId = values.network_id ?? (await aSubnet(w, {}, as)).network_id
  return create(w, as, 'createPort', 'port', { network_id: networkId, ...values })
}
export const aRouter = (w: AccessWorld, values: object = {}, as: Persona = 'member'): Promise<{ id: string }> => create(w, as, 'createRouter', 'router', { name: w.unique('router'), ...values })

/** The way out, as an administrator makes it: a network with room for many addresses. */
export async function anExternalNetwork(w: AccessWorld): Promise<{ id: string }> {
  const network = await aNetwork(w, { 'router:external': true }, 'admin')
  await aSubnet(w, { network_id: network.id, cidr: '172.24.0.0/20', enable_dhcp: false }, 'admin')
  return network
}
export const aFloatingIp = async (w: AccessWorld, values: Record<string, unknown> = {}, as: Persona = 'member'): Promise<{ id: string }> =>
  create(w, as, 'createFloatingIp', 'floatingip', { floating_network_id: values.floating_network_id ?? (await anExternalNetwork(w)).id, ...values })
export const aGroup = (w: AccessWorld, values: object = {}, as: Persona = 'member'): Promise<{ id: string }> => create(w, as, 'createSecurityGroup', 'security_group', { name: w.unique('group'), ...values })
let port = 0
export async function aRule(w: AccessWorld, values: Record<string, unknown> = {}, as: Persona = 'member'): Promise<{ id: string }> {
  const groupId = values.security_group_id ?? (await aGroup(w, {}, as)).id
  port = (port % 60_000) + 1
  return create(w, as, 'createSecurityGroupRule', 'security_group_rule', { security_group_id: groupId, direction: 'ingress', protocol: 'tcp', port_range_min: port, port_range_max: port, ...values })
}

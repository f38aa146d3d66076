// A cloud's first networks: the way out, and a project's own with a router between them. What stands already is left as it is.
import type { Context } from '#base/context.ts'
import type { ServiceClient } from '#kit/http/client.ts'

export interface NetworkSeed {
  /** Whose network, subnet and router are made. */
  demoProjectId: string
  /** The external network: the host has the gateway's address on it. */
  external: { cidr: string, gateway: string }
  tenantCidr?: string
}
export interface SeededNetworks { externalNetworkId: string, networkId: string, subnetId: string, routerId: string }

/** `ctx` acts as an administrator. */
export async function seed(ctx: Context, network: ServiceClient, { demoProjectId, external, tenantCidr = '192.168.233.0/24' }: NetworkSeed): Promise<SeededNetworks> {
  const one = async (list: string, many: string, query: object, create: string, key: string, values: object): Promise<{ id: string }> => {
    const { body } = await network.call<Record<string, { id: string }[]>>(ctx, list, { query: { ...query } })
    return body[many]![0] ?? (await network.call<Record<string, { id: string }>>(ctx, create, { body: { [key]: values } })).body[key]!
  }
  const owner = { project_id: demoProjectId }
  const outside = await one('listNetworks', 'networks', { 'name': 'public', 'router:external': 'True' }, 'createNetwork', 'network', {
    'name': 'public', 'router:external': true, 'is_default': true, 'provider:network_type': 'flat', 'provider:physical_network': 'public', 'port_security_enabled': true,
  })
  await one('listSubnets', 'subnets', { network_id: outside.id }, 'createSubnet', 'subnet', {
    network_id: outside.id, name: 'public-subnet', ip_version: 4, cidr: external.cidr, gateway_ip: external.gateway, enable_dhcp: false,
  })
  const inside = await one('listNetworks', 'networks', { name: 'private', ...owner }, 'createNetwork', 'network', { name: 'private', ...owner })
  const subnet = await one('listSubnets', 'subnets', { network_id: inside.id }, 'createSubnet', 'subnet', { network_id: inside.id, name: 'private-subnet', ip_version: 4, cidr: tenantCidr, ...owner })
  const router = await one('listRouters', 'routers', { name: 'router', ...owner }, 'createRouter', 'router', { name: 'router', external_gateway_info: { network_id: outside.id }, ...owner })
  const { body } = await network.call<{ ports: object[] }>(ctx, 'listPorts', { query: { device_id: router.id, device_owner: 'network:router_interface', network_id: inside.id } })
  if (body.ports.length === 0) await network.call(ctx, 'addRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
  return { externalNetworkId: outside.id, networkId: inside.id, subnetId: subnet.id, routerId: router.id }
}

// A server's addresses by network. https://docs.openstack.org/api-ref/compute/#servers-ips-servers-ips
import { notFound } from '#base/errors.ts'
import { operation } from '../deps.ts'
import { describePorts, type DescribedPort } from './networks.ts'
import * as policy from './policy.ts'
import { target } from './target.ts'

interface Address { version: 4 | 6, addr: string, 'OS-EXT-IPS:type'?: 'fixed' | 'floating', 'OS-EXT-IPS-MAC:mac_addr'?: string }
const versionOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4)

/** By network name. `extended`: with type and MAC, as the server's own views show them. */
export function addressesOf(ports: DescribedPort[], extended: boolean): Record<string, Address[]> {
  const out = new Map<string, Address[]>()
  for (const port of ports) {
    let list = out.get(port.network_name)
    if (!list) out.set(port.network_name, list = [])
    const one = (addr: string, type: 'fixed' | 'floating'): Address =>
      extended ? { version: versionOf(addr), addr, 'OS-EXT-IPS:type': type, 'OS-EXT-IPS-MAC:mac_addr': port.mac_address } : { version: versionOf(addr), addr }
    for (const ip of port.fixed_ips) list.push(one(ip.ip_address, 'fixed'))
    for (const ip of port.floating_ips) list.push(one(ip.floating_ip_address, 'floating'))
  }
  return Object.fromEntries(out)
}

export const listAddresses = operation({
  name: 'listServerAddresses', method: 'GET', path: '/servers/{server_id}/ips', summary: 'List a server\'s addresses.', access: policy.show, target,
  handle: async (ctx, { target }, { network }) => ({ addresses: addressesOf((await describePorts(ctx, network, [target.id])).get(target.id) ?? [], false) }),
})

export const showAddresses = operation({
  name: 'showServerAddresses', method: 'GET', path: '/servers/{server_id}/ips/{network_label}', summary: 'Show a server\'s addresses on one network.', access: policy.show, target,
  async handle(ctx, { target, params }, { network }) {
    const label = params.network_label!, all = addressesOf((await describePorts(ctx, network, [target.id])).get(target.id) ?? [], false)
    if (!Object.hasOwn(all, label)) throw notFound('Instance is not a member of specified network')
    return { [label]: all[label] }
  },
})

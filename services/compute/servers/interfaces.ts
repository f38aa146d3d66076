// A server's cards. https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface
import { notFound } from '#base/errors.ts'
import type { Version } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'
import { describePorts, type DescribedPort } from './networks.ts'
import * as policy from './policy.ts'
import { tagsOfNics } from './store.ts'
import { target } from './target.ts'

const view = (port: DescribedPort, version: Version, tags: Map<string, string | null>): object => ({
  port_id: port.id, net_id: port.network_id, mac_addr: port.mac_address, port_state: port.status, fixed_ips: port.fixed_ips.map((ip) => ({ subnet_id: ip.subnet_id, ip_address: ip.ip_address })),
  ...(version.since('2.70') && { tag: tags.get(port.id) ?? null }),
})

export const listInterfaces = operation({
  name: 'listServerInterfaces', method: 'GET', path: '/servers/{server_id}/os-interface', summary: 'List a server\'s cards.', access: policy.show, target,
  async handle(ctx, { target, version }, { network, store }) {
    const ports = (await describePorts(ctx, network, [target.id])).get(target.id) ?? [], tags = await store.read((tx) => tagsOfNics(tx, target.id))
    return { interfaceAttachments: ports.map((port) => view(port, version, tags)) }
  },
})

export const showInterface = operation({
  name: 'showServerInterface', method: 'GET', path: '/servers/{server_id}/os-interface/{port_id}', summary: 'Show one of a server\'s cards.', access: policy.show, target,
  async handle(ctx, { target, params, version }, { network, store }) {
    const port = (await describePorts(ctx, network, [target.id])).get(target.id)?.find((p) => p.id === params.port_id)
    if (!port) throw notFound(`Instance ${target.id} does not have a port with id ${params.port_id!.slice(0, 60)}`)
    return { interfaceAttachment: view(port, version, await store.read((tx) => tagsOfNics(tx, target.id))) }
  },
})

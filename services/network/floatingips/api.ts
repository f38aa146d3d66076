// https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { badResource, externalExhausted, notExternal } from '../faults.ts'
import { addressesOf } from '../ipam/store.ts'
import { makePort } from '../ports/make.ts'
import { networkFor } from '../ports/api.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend } from '../resource/store.ts'
import type { FloatingIpRow } from '../schema.ts'
import { wakeRouter } from '../wanted/wake.ts'
import { attachmentFor, unattached } from './attach.ts'
import { floatingIp } from './noun.ts'
import { removeFloatingIp } from './remove.ts'
import * as floatingIps from './store.ts'

export const listFloatingIps = listing(floatingIp)
export const showFloatingIp = showing(floatingIp)

export const createFloatingIp = creating(floatingIp, {
  async make(tx, ctx, deps, values, projectId, attempt) {
    const on = await networkFor(tx, ctx, values.floating_network_id!)
    if (on.external === 0) throw notExternal(on.id)
    const id = newId(), at = now(), wished = values.floating_ip_address ?? undefined, subnetId = values.subnet_id ?? undefined
    // The address is held by a port of nobody's, which cannot be touched through the API.
    const own = await makePort(tx, deps, on, {
      projectId: '', deviceOwner: 'network:floatingip', deviceId: id, onlyIpv4: true,
      ...((wished ?? subnetId) !== undefined && { fixedIps: [{ ...(subnetId !== undefined && { subnet_id: subnetId }), ...(wished !== undefined && { ip_address: wished }) }] }),
    }, attempt)
    const [address] = (await addressesOf(tx, [own.id])).get(own.id) ?? []
    if (!address) throw externalExhausted(on.id)
    const row: FloatingIpRow = {
      id, projectId, description: values.description ?? '', revision: 0, createdAt: at, updatedAt: at, floatingNetworkId: on.id, floatingPortId: own.id, floatingIpAddress: address.address,
      ...unattached, dnsName: values.dns_name ?? '', dnsDomain: values.dns_domain ?? '',
    }
    if (values.port_id) Object.assign(row, await attachmentFor(tx, ctx, row, values.port_id, values.fixed_ip_address ?? undefined))
    else if (values.fixed_ip_address) throw badResource('floatingip', 'fixed_ip_address cannot be specified without a port_id')
    await floatingIps.add(tx, row)
    if (row.routerId !== null) await wakeRouter(tx, ctx, deps, row.routerId)
    return row
  },
})

export const updateFloatingIp = updating(floatingIp, async (tx, ctx, deps, row, given) => {
  // Once the port was all there was to say, and to say nothing took it away: neutron keeps to that.
  const values: typeof given = Object.keys(given).length === 0 ? { port_id: null } : given
  const portId = Object.hasOwn(values, 'port_id') ? values.port_id! : row.portId
  const moves = Object.hasOwn(values, 'port_id') || Object.hasOwn(values, 'fixed_ip_address')
  if (portId === null && values.fixed_ip_address) throw badResource('floatingip', 'fixed_ip_address cannot be specified without a port_id')
  const attachment = !moves ? {} : portId === null ? unattached : await attachmentFor(tx, ctx, row, portId, values.fixed_ip_address ?? undefined)
  const changed = await amend(tx, 'networkFloatingIps', row, { ...(values.description !== undefined && { description: values.description }), ...attachment })
  if (moves) for (const routerId of new Set([row.routerId, changed.routerId])) if (routerId !== null) await wakeRouter(tx, ctx, deps, routerId)
  return changed
}, { evenForNothing: true })

export const deleteFloatingIp = deleting(floatingIp, removeFloatingIp)

// A network's DHCP port: there while any subnet has DHCP, with an address in each. It also answers DNS and metadata.
import type { Context } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { allocateWanted, isAuto } from '../ipam/allocate.ts'
import * as addresses from '../ipam/store.ts'
import { makePort } from '../ports/make.ts'
import { removePort } from '../ports/remove.ts'
import * as ports from '../ports/store.ts'
import { claim } from '../resource/store.ts'
import type { NetworkRow, SubnetRow } from '../schema.ts'
import { settle } from '../wanted/store.ts'
import * as subnets from './store.ts'

const served = (subnet: SubnetRow): boolean => subnet.enableDhcp === 1

/** Makes the DHCP port be as the subnets want it. It counts as one of the network's project, and is never refused for the quota. */
export async function settleDhcp(tx: NetworkTx, ctx: Context, deps: Deps, on: NetworkRow, attempt: number): Promise<void> {
  const all = await subnets.ofNetwork(tx, on.id), wanted = all.filter(served)
  const standing = (await ports.onNetwork(tx, on.id)).find((p) => p.deviceOwner === 'network:dhcp')
  if (wanted.length === 0) {
    if (standing) await removePort(tx, ctx, deps, standing)
    return
  }
  if (standing) {
    const held = (await addresses.addressesOf(tx, [standing.id])).get(standing.id) ?? []
    const keep = held.filter((ip) => wanted.some((s) => s.id === ip.subnetId))
    const missing = wanted.filter((s) => !held.some((ip) => ip.subnetId === s.id))
    if (keep.length < held.length || missing.length > 0) {
      await allocateWanted(tx, standing, all, [...keep.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.address })), ...missing.map((s) => ({ subnet_id: s.id }))], attempt, held)
    }
    return
  }
  try {
    await makePort(tx, deps, on, {
      projectId: on.projectId, deviceOwner: 'network:dhcp', deviceId: `dhcp-${on.id}`, fixedIps: wanted.filter((s) => !isAuto(s)).map((s) => ({ subnet_id: s.id })),
    }, attempt)
    await claim(tx, deps, on.projectId, 'port', 'free')
    await settle(tx, on.id, deps.config.networkHost)
  } catch (error) {
    // A subnet without a free address is a subnet nonetheless; it is served as soon as one is free and the subnet is changed.
    if (!isFault(error) || error.type !== 'IpAddressGenerationFailure') throw error
  }
}

// https://docs.openstack.org/api-ref/network/v2/#ports
import { flag } from '#kit/store/store.ts'
import type { NetworkTx } from '../deps.ts'
import { groupsNeedSecurity, macInUse, networkNotFound, pairsNeedSecurity, portBound, portHasGroups, portInUse, servicePortInUse } from '../faults.ts'
import { allocateWanted } from '../ipam/allocate.ts'
import { detachFrom } from '../floatingips/attach.ts'
import * as addresses from '../ipam/store.ts'
import { networkTarget } from '../networks/noun.ts'
import * as networks from '../networks/store.ts'
import * as policy from '../policy.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend } from '../resource/store.ts'
import type { NetworkRow, PortRow } from '../schema.ts'
import * as subnets from '../subnets/store.ts'
import { bindTo } from './bind.ts'
import { checkDevice, checkDnsName, checkGroups, checkPairs, checkRights } from './check.ts'
import { makePort } from './make.ts'
import { port } from './noun.ts'
import { removePort } from './remove.ts'
import * as ports from './store.ts'
import { wakePort } from '../wanted/wake.ts'
import type { Context } from '#base/context.ts'

/** The network, if this caller may know that it exists. */
export async function networkFor(tx: NetworkTx, ctx: Context, id: string): Promise<NetworkRow> {
  const row = await networks.find(tx, id)
  if (!row || !policy.readNetwork.allows(ctx.actor, networkTarget(row))) throw networkNotFound(id)
  return row
}

export const listPorts = listing(port)
export const showPort = showing(port)

export const createPort = creating(port, {
  async targetFor(tx, values, ctx) {
    const target = networkTarget(await networkFor(tx, ctx, values.network_id!))
    checkRights('create', values, ctx.actor, target)
    return { networkProjectId: target.networkProjectId, shared: target.shared, external: target.external }
  },
  async make(tx, ctx, deps, values, projectId, attempt) {
    const on = await networkFor(tx, ctx, values.network_id!)
    checkDnsName(values.dns_name)
    await checkDevice(tx, { deviceId: values.device_id ?? '', deviceOwner: values.device_owner ?? '' }, ctx.actor)
    const row = await makePort(tx, deps, on, {
      projectId, name: values.name, description: values.description, macAddress: values.mac_address, adminStateUp: values.admin_state_up, deviceId: values.device_id, deviceOwner: values.device_owner,
      vnicType: values['binding:vnic_type'], profile: values['binding:profile'], fixedIps: values.fixed_ips ?? undefined, groupIds: values.security_groups ?? undefined,
      ownGroupsOnly: !policy.isAdmin(ctx.actor), portSecurityEnabled: values.port_security_enabled, pairs: values.allowed_address_pairs ?? undefined, dnsName: values.dns_name,
    }, attempt)
    return values['binding:host_id'] ? bindTo(tx, ctx, deps, row, values['binding:host_id']) : row
  },
})

/** Changes of these are the hosts' business. */
const seenByHosts = ['fixed_ips', 'security_groups', 'mac_address', 'admin_state_up', 'port_security_enabled', 'allowed_address_pairs', 'dns_name'] as const

export const updatePort = updating(port, async (tx, ctx, deps, row, values, owner, attempt) => {
  checkRights('update', { ...values, ...(values.device_owner === row.deviceOwner && { device_owner: '' }) }, ctx.actor, owner)
  checkDnsName(values.dns_name)
  const device = { deviceId: values.device_id ?? row.deviceId, deviceOwner: values.device_owner ?? row.deviceOwner }
  if (device.deviceId !== row.deviceId || device.deviceOwner !== row.deviceOwner) {
    // What stands of a bound port is our services' word, and is believed: a server's page and its guest are told of its cards by it.
    if (row.host !== '' && !policy.isAdmin(ctx.actor)) throw portInUse(row.id, row.networkId, row.deviceId)
    await checkDevice(tx, device, ctx.actor)
  }
  const groupsBefore = (await ports.groupsOf(tx, [row.id])).get(row.id) ?? []
  const mac = values.mac_address
  if (mac !== undefined && mac !== row.macAddress) {
    if (row.host !== '') throw portBound(row.id, row.macAddress, mac)
    if (await ports.byMac(tx, row.networkId, mac)) throw macInUse(row.networkId, mac)
  }
  const pairs = Object.hasOwn(values, 'allowed_address_pairs') ? checkPairs(values.allowed_address_pairs ?? [], mac ?? row.macAddress) : undefined

  if (values.fixed_ips) {
    const standing = (await addresses.addressesOf(tx, [row.id])).get(row.id) ?? []
    const fixed = await allocateWanted(tx, row, await subnets.ofNetwork(tx, row.networkId), values.fixed_ips, attempt, standing)
    await detachFrom(tx, ctx, deps, row.id, fixed.map((ip) => ip.address))
  }
  const groupsAfter = Object.hasOwn(values, 'security_groups') ? [...new Set(values.security_groups ?? [])] : groupsBefore
  const security = values.port_security_enabled ?? row.portSecurityEnabled === 1
  if (!security && groupsAfter.length > 0) throw Object.hasOwn(values, 'security_groups') ? groupsNeedSecurity() : portHasGroups()
  if (!security && (pairs ?? JSON.parse(row.allowedAddressPairs) as object[]).length > 0) throw pairsNeedSecurity()
  if (Object.hasOwn(values, 'security_groups')) {
    await checkGroups(tx, groupsAfter.filter((id) => !groupsBefore.includes(id)), policy.isAdmin(ctx.actor) ? undefined : row.projectId)
    await ports.setGroups(tx, row.id, groupsAfter)
  }

  const changed: PortRow = await amend(tx, 'networkPorts', row, {
    ...(values.name !== undefined && { name: values.name }), ...(values.description !== undefined && { description: values.description }),
    ...(values.admin_state_up !== undefined && { adminStateUp: flag(values.admin_state_up) }), ...(mac !== undefined && { macAddress: mac }),
    ...(values.device_id !== undefined && { deviceId: values.device_id }), ...(values.device_owner !== undefined && { deviceOwner: values.device_owner }),
    ...(values.port_security_enabled !== undefined && { portSecurityEnabled: flag(values.port_security_enabled) }), ...(pairs && { allowedAddressPairs: JSON.stringify(pairs) }),
    ...(Object.hasOwn(values, 'binding:profile') && { profile: JSON.stringify(values['binding:profile'] ?? {}) }), ...(values.dns_name !== undefined && { dnsName: values.dns_name }),
    ...(values['binding:vnic_type'] !== undefined && { vnicType: values['binding:vnic_type'] }),
  })
  if (Object.hasOwn(values, 'binding:host_id') && (values['binding:host_id'] ?? '') !== row.host) return bindTo(tx, ctx, deps, changed, values['binding:host_id'] ?? '', {}, groupsBefore)
  if (seenByHosts.some((name) => Object.hasOwn(values, name))) await wakePort(tx, ctx, deps, changed, [changed.host], [...new Set([...groupsBefore, ...groupsAfter])])
  return changed
})

const undeletable = ['network:router_interface', 'network:router_gateway', 'network:floatingip']
export const deletePort = deleting(port, async (tx, ctx, deps, row) => {
  if (undeletable.includes(row.deviceOwner)) throw servicePortInUse(row.id, row.deviceOwner)
  await removePort(tx, ctx, deps, row, { counted: true })
})

// https://docs.openstack.org/api-ref/network/v2/#networks
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { flag } from '#kit/store/store.ts'
import type { Deps, NetworkTx } from '../deps.ts'
import { externalNetworkInUse, invalidInput, invalidSharedSetting, mtuTooSmall, networkInUse, segmentInUse } from '../faults.ts'
import { removeFloatingIp } from '../floatingips/remove.ts'
import * as floatingIps from '../floatingips/store.ts'
import { checkDnsName } from '../ports/check.ts'
import { removePort } from '../ports/remove.ts'
import * as ports from '../ports/store.ts'
import type { Values } from '../resource/attributes.ts'
import { creating, deleting, listing, showing, updating } from '../resource/operations.ts'
import { amend, forget, release } from '../resource/store.ts'
import type { NetworkRow } from '../schema.ts'
import { leastMtu6 } from '../subnets/check.ts'
import * as subnets from '../subnets/store.ts'
import { wakeNetwork } from '../wanted/wake.ts'
import { remember } from '../wanted/store.ts'
import { network, type attributes } from './noun.ts'
import * as networks from './store.ts'

type NetworkValues = Values<typeof attributes>

function mtuFor(deps: Deps, asked: number | undefined, flat: boolean): number {
  const largest = flat ? deps.config.externalMtu : deps.config.tenantMtu
  if (asked === undefined || asked === 0) return largest
  if (asked < 68) throw invalidInput(`Requested MTU is too small, minimum is 68`)
  if (asked > largest) throw invalidInput(`Requested MTU is too big, maximum is ${largest}`)
  return asked
}

/** Type, physical network and segment; tenants get an overlay segment of their own. */
async function place(tx: NetworkTx, deps: Deps, values: NetworkValues, attempt: number): Promise<Pick<NetworkRow, 'networkType' | 'physicalNetwork' | 'segmentId'>> {
  const type = values['provider:network_type'] ?? 'vxlan', physical = values['provider:physical_network'] ?? null, segment = values['provider:segmentation_id'] ?? undefined
  if (type === 'flat') {
    if (physical === null) throw invalidInput('physical_network required for flat provider network')
    if (!deps.config.physicalNetworks.includes(physical)) throw invalidInput(`physical_network '${physical}' unknown for flat provider network`)
    if (segment !== undefined) throw invalidInput('segmentation_id prohibited for flat provider network')
  } else if (type === 'vxlan') {
    if (physical !== null) throw invalidInput('provider:physical_network specified for vxlan network')
    if (segment !== undefined && (await networks.bySegment(tx, segment))) throw segmentInUse(segment)
  } else {
    throw invalidInput(`network_type value '${type}' not supported`)
  }
  return { networkType: type, physicalNetwork: physical, segmentId: segment ?? await networks.freeSegment(tx, deps.config.segments, attempt) }
}

export async function makeNetwork(tx: NetworkTx, deps: Deps, values: NetworkValues, projectId: string, attempt = 1): Promise<NetworkRow> {
  checkDnsName(values.dns_domain, 'dns_domain')
  const at = now(), where = await place(tx, deps, values, attempt)
  const row: NetworkRow = {
    id: newId(), projectId, description: values.description ?? '', revision: 1, createdAt: at, updatedAt: at, name: values.name ?? '', ...where,
    adminStateUp: flag(values.admin_state_up ?? true), shared: flag(values.shared ?? false), external: flag(values['router:external'] ?? false), isDefault: flag(values.is_default ?? false),
    portSecurityEnabled: flag(values.port_security_enabled ?? true), mtu: mtuFor(deps, values.mtu, where.networkType === 'flat'), dnsDomain: values.dns_domain ?? '',
  }
  await checkDefault(tx, row)
  await networks.add(tx, row)
  return row
}

async function checkDefault(tx: NetworkTx, row: NetworkRow): Promise<void> {
  if (row.isDefault === 1 && await networks.otherDefault(tx, row.id)) throw invalidInput('A default external network already exists')
}

export const listNetworks = listing(network)
export const showNetwork = showing(network)
export const createNetwork = creating(network, { make: (tx, _ctx, deps, values, projectId, attempt) => makeNetwork(tx, deps, values, projectId, attempt) })

export const updateNetwork = updating(network, async (tx, ctx, deps, row, values) => {
  checkDnsName(values.dns_domain, 'dns_domain')
  if (values.shared === false && row.shared === 1 && await networks.usedByOthers(tx, row)) throw invalidSharedSetting(row.name)
  if (values['router:external'] === false && row.external === 1 && await networks.gatewaysOn(tx, row.id)) throw externalNetworkInUse(row.id)
  const changed = await amend(tx, 'networkNetworks', row, {
    ...(values.name !== undefined && { name: values.name }), ...(values.description !== undefined && { description: values.description }),
    ...(values.admin_state_up !== undefined && { adminStateUp: flag(values.admin_state_up) }), ...(values.shared !== undefined && { shared: flag(values.shared) }),
    ...(values['router:external'] !== undefined && { external: flag(values['router:external']) }), ...(values.is_default !== undefined && { isDefault: flag(values.is_default) }),
    ...(values.port_security_enabled !== undefined && { portSecurityEnabled: flag(values.port_security_enabled) }),
    ...(values.mtu !== undefined && { mtu: mtuFor(deps, values.mtu, row.networkType === 'flat') }), ...(values.dns_domain !== undefined && { dnsDomain: values.dns_domain }),
  })
  if (changed.mtu < leastMtu6 && changed.mtu < row.mtu && (await subnets.ofNetwork(tx, row.id)).some((s) => s.ipVersion === 6)) throw mtuTooSmall(row.id, leastMtu6)
  await checkDefault(tx, changed)
  if (['admin_state_up', 'mtu', 'dns_domain', 'router:external'].some((name) => Object.hasOwn(values, name))) await wakeNetwork(tx, ctx, deps, row.id)
  return changed
})

export const deleteNetwork = deleting(network, async (tx, ctx, deps, row) => {
  // Floating IPs that lead nowhere do not hold a network: they go with it, as in neutron.
  for (const floating of await floatingIps.looseOn(tx, row.id)) {
    await removeFloatingIp(tx, ctx, deps, floating)
    await release(tx, floating.projectId, 'floatingip')
  }
  if (await networks.portsInUse(tx, row.id)) throw networkInUse(row.id)
  // What is left are DHCP's own ports; their hosts hear of it.
  for (const port of await ports.onNetwork(tx, row.id)) await removePort(tx, ctx, deps, port)
  for (const subnet of await subnets.ofNetwork(tx, row.id)) {
    await subnets.remove(tx, subnet.id)
    await forget(tx, undefined, subnet.id)
    await release(tx, subnet.projectId, 'subnet')
  }
  await networks.remove(tx, row.id)
  await forget(tx, 'network', row.id)
  await remember(tx, 'network', row.id)
})

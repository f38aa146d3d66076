// What a port may ask for.
import type { Actor } from '#base/context.ts'
import type { NetworkTx } from '../deps.ts'
import { badResource, deviceNotOwned, duplicatePair, groupNotFound, malformed, notAuthorized } from '../faults.ts'
import { parseCidr } from '../ipam/ip.ts'
import type { WantedIp } from '../ipam/allocate.ts'
import * as policy from '../policy.ts'
import * as routers from '../routers/store.ts'
import type { PortRow } from '../schema.ts'
import * as groups from '../security-groups/store.ts'
import type { Pair } from './noun.ts'

const mostPairs = 10

/** Pairs as they are kept: one without a MAC is for the port's own card, as in neutron. */
export function checkPairs(asked: Pair[], ownMac: string): Required<Pair>[] {
  const pairs = asked.map((pair) => ({ ip_address: pair.ip_address, mac_address: pair.mac_address?.toLowerCase() ?? ownMac }))
  if (pairs.length > mostPairs) throw badResource('port', `The number of allowed address pair exceeds the maximum ${mostPairs}`)
  const seen = new Set<string>()
  for (const { ip_address: ip, mac_address: mac } of pairs) {
    if (!parseCidr(ip)) throw malformed(`Invalid input for allowed_address_pairs. Reason: '${ip.slice(0, 60)}' is not a valid IP address or subnet.`)
    const key = `${ip} ${mac}`
    if (seen.has(key)) throw duplicatePair(ip, mac)
    seen.add(key)
  }
  return pairs
}

/** Every group exists, and is the project's own where that is asked. */
export async function checkGroups(tx: NetworkTx, ids: string[], projectId: string | undefined): Promise<void> {
  const known = new Map((await groups.byIds(tx, ids)).map((g) => [g.id, g]))
  for (const id of ids) {
    const group = known.get(id)
    if (!group || (projectId !== undefined && group.projectId !== projectId)) throw groupNotFound(id)
  }
}

export interface Claims { fixed_ips?: WantedIp[] | null, device_owner?: string | null }

/** Rights that hang on what is said: addresses on somebody else's network, and the owners that only our own services use. */
export function checkRights(verb: 'create' | 'update', claims: Claims, actor: Actor, target: policy.NetTarget): void {
  const deny = (attribute: string): never => { throw notAuthorized(`(rule:${verb}_port and rule:${verb}_port:${attribute})`) }
  for (const ip of claims.fixed_ips ?? []) {
    if (ip.ip_address !== undefined && !policy.adminOrNetworkOwner.allows(actor, target)) deny('fixed_ips:ip_address')
    if (ip.subnet_id !== undefined && !policy.adminOrNetworkOwnerOrShared.allows(actor, target)) deny('fixed_ips:subnet_id')
  }
  if (claims.device_owner?.startsWith('network:') && !policy.adminOrNetworkOwner.allows(actor, target)) deny('device_owner')
}

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i
/** A relative or absolute name; empty takes it away. */
export function checkDnsName(name: string | undefined, attribute = 'dns_name'): void {
  if (name && !name.replace(/\.$/, '').split('.').every((part) => label.test(part))) throw malformed(`Invalid input for ${attribute}. Reason: '${name.slice(0, 60)}' is not a valid DNS name.`)
}

/** A router's host wires to it whatever port says that it is the router's: who says so of a router must own it. */
export async function checkDevice(tx: NetworkTx, { deviceId, deviceOwner }: Pick<PortRow, 'deviceId' | 'deviceOwner'>, actor: Actor): Promise<void> {
  if (policy.isAdmin(actor) || !deviceOwner.startsWith('network:router_')) return
  const router = await routers.find(tx, deviceId)
  if (router && router.projectId !== actor.projectId) throw deviceNotOwned(deviceId)
}

// Which addresses a port gets: those asked for, or one of each kind its network offers.
import { addressInUse, addressNotOfNetwork, addressNotOfSubnet, invalidInput, noAddressLeft, subnetNotFound } from '../faults.ts'
import type { NetworkTx } from '../deps.ts'
import type { SubnetRow } from '../schema.ts'
import * as rows from '../subnets/store.ts'
import { eui64, formatIp, parseCidr, parseIp, within } from './ip.ts'
import * as addresses from './store.ts'
import type { FixedIp } from './store.ts'

/** As requests say it. */
export interface WantedIp { subnet_id?: string, ip_address?: string }
export interface Applicant { id: string, projectId: string, networkId: string, macAddress: string, deviceOwner: string }

/** Addresses that cards give themselves. */
export const isAuto = (subnet: SubnetRow): boolean => subnet.ipv6AddressMode === 'slaac' || subnet.ipv6AddressMode === 'dhcpv6-stateless'
const autoAddress = (subnet: SubnetRow, mac: string): string => formatIp(eui64(parseCidr(subnet.cidr)!, mac))
const isRouterOwned = (owner: string): boolean => owner.startsWith('network:router_')

export const subnetHas = (subnet: Pick<SubnetRow, 'cidr'>, address: string): boolean => {
  const cidr = parseCidr(subnet.cidr)!, ip = parseIp(address)!
  return cidr.version === ip.version && within(cidr, ip.value)
}

/** Network and broadcast address, and everything outside, is no host's. */
function checkHostAddress(subnet: SubnetRow, address: string): void {
  const cidr = parseCidr(subnet.cidr)!, { value } = parseIp(address)!
  if (!subnetHas(subnet, address) || (cidr.version === 4 && cidr.prefix < 31 && (value === cidr.first || value === cidr.last))) throw addressNotOfSubnet(address)
}

async function takeOne(tx: NetworkTx, port: Applicant, subnet: SubnetRow, address: string): Promise<FixedIp> {
  if (await addresses.holder(tx, port.networkId, address)) throw addressInUse(port.networkId, address)
  await addresses.take(tx, port.networkId, subnet.id, port.id, [address])
  return { subnetId: subnet.id, address }
}

async function takeFree(tx: NetworkTx, port: Applicant, subnets: SubnetRow[], attempt: number): Promise<FixedIp> {
  for (const subnet of subnets) {
    const address = isAuto(subnet) && !isRouterOwned(port.deviceOwner) ? autoAddress(subnet, port.macAddress) : await addresses.freeAddress(tx, subnet, attempt)
    if (address === undefined) continue
    await addresses.take(tx, port.networkId, subnet.id, port.id, [address])
    return { subnetId: subnet.id, address }
  }
  throw noAddressLeft(port.networkId)
}

/** The subnet a wish speaks of; 400 when it is of another network, 404 when there is none, or it is somebody else's. */
async function subnetOf(tx: NetworkTx, port: Applicant, subnets: SubnetRow[], wish: WantedIp): Promise<SubnetRow> {
  if (subnets.length === 0) throw invalidInput('IP allocation requires subnets for network')
  if (wish.subnet_id !== undefined) {
    const subnet = subnets.find((s) => s.id === wish.subnet_id)
    if (subnet) return subnet
    if ((await rows.find(tx, wish.subnet_id))?.projectId !== port.projectId) throw subnetNotFound(wish.subnet_id)
    throw invalidInput(`Failed to create port on network ${port.networkId}, because fixed_ips included invalid subnet ${wish.subnet_id}`)
  }
  const subnet = subnets.find((s) => subnetHas(s, wish.ip_address!))
  if (!subnet) throw addressNotOfNetwork(wish.ip_address!)
  return subnet
}

/** Takes exactly what is asked for. `standing` are addresses the port holds already: they satisfy wishes first and are given back when no wish names them. */
export async function allocateWanted(tx: NetworkTx, port: Applicant, subnets: SubnetRow[], wishes: WantedIp[], attempt: number, standing: FixedIp[] = []): Promise<FixedIp[]> {
  const kept: FixedIp[] = [], open: { subnet: SubnetRow, address?: string }[] = []
  const left = [...standing]
  const keep = (fits: (ip: FixedIp) => boolean): boolean => {
    const i = left.findIndex(fits)
    if (i >= 0) kept.push(...left.splice(i, 1))
    return i >= 0
  }
  const named = wishes.filter((w) => w.ip_address !== undefined), any = wishes.filter((w) => w.ip_address === undefined)
  for (const wish of named) {
    const address = wish.ip_address!
    if (kept.some((ip) => ip.address === address) || open.some((o) => o.address === address)) throw invalidInput(`Duplicate IP address '${address}'`)
    const subnet = await subnetOf(tx, port, subnets, wish)
    if (keep((ip) => ip.address === address && ip.subnetId === subnet.id)) continue
    checkHostAddress(subnet, address)
    if (isAuto(subnet) && !isRouterOwned(port.deviceOwner) && address !== autoAddress(subnet, port.macAddress)) {
      throw invalidInput(`IPv6 address ${address} can not be directly assigned to a port on subnet ${subnet.id} since the subnet is configured for automatic addresses`)
    }
    open.push({ subnet, address })
  }
  for (const wish of any) {
    if (wish.subnet_id === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address')
    const subnet = await subnetOf(tx, port, subnets, wish)
    if (!keep((ip) => ip.subnetId === subnet.id)) open.push({ subnet })
  }
  // SLAAC addresses are the card's own doing: they stay whatever is wished for.
  for (const subnet of subnets) if (isAuto(subnet)) keep((ip) => ip.subnetId === subnet.id)
  if (left.length > 0) await addresses.giveBack(tx, port.id, left.map((ip) => ip.address))
  for (const { subnet, address } of open) kept.push(address === undefined ? await takeFree(tx, port, [subnet], attempt) : await takeOne(tx, port, subnet, address))
  return kept
}

/** One IPv4 address, one managed IPv6 address, and one of each automatic subnet. A network without subnets gives none. */
export async function allocateDefault(tx: NetworkTx, port: Applicant, subnets: SubnetRow[], attempt: number): Promise<FixedIp[]> {
  const taken: FixedIp[] = []
  const groups = [subnets.filter((s) => s.ipVersion === 4), subnets.filter((s) => s.ipVersion === 6 && !isAuto(s))]
  for (const group of groups) if (group.length > 0) taken.push(await takeFree(tx, port, group, attempt))
  if (!isRouterOwned(port.deviceOwner)) for (const subnet of subnets.filter(isAuto)) taken.push(await takeOne(tx, port, subnet, autoAddress(subnet, port.macAddress)))
  return taken
}


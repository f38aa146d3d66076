// One network's links in the cloud's namespace: its bridge, its overlay device, and for an external network the pair to the host.
import { floodPeers, setFloodPeers } from '#host/fdb.ts'
import { conflict } from '#base/errors.ts'
import { ipAddresses, ipBatch, ipLinks } from '#host/ip.ts'
import { netnsStands, sysctl } from '#host/netns.ts'
import type { NetworkSpec } from '#drivers/network/contract.ts'
import { overlaps, parseCidr } from './addresses.ts'
import type { CompleteConfig } from './config.ts'
import { wantsDhcp } from './dhcp-files.ts'
import { convergeInterior } from './interior.ts'
import { bridgeName, dhcpPlugName, overlayName, uplinkName } from './names.ts'
import type { CloudNames } from './names.ts'

type Underlay = NonNullable<CompleteConfig['underlay']>

/** The overlay's usual UDP port. */
const vxlanPort = 4789

/** The bridge's own MAC is fixed, else it would be that of a port and change with them. */
const bridgeMac = (segmentId: number): string => `fa:16:3f:${[16, 8, 0].map(shift => (segmentId >> shift & 0xff).toString(16).padStart(2, '0')).join(':')}`

export async function ensureNetworkLinks(config: CompleteConfig, names: CloudNames, spec: NetworkSpec): Promise<void> {
  const bridge = bridgeName(spec.id)
  const links = new Map((await ipLinks(names.cloud)).map(link => [link.ifname, link]))
  const lines: string[] = []
  const have = links.get(bridge)
  // No snooping: without somebody who asks for memberships it forgets groups, and IPv6's neighbour discovery is made of groups.
  if (have === undefined) lines.push(`link add dev ${bridge} address ${bridgeMac(spec.segmentId)} type bridge mcast_snooping 0 forward_delay 0`)
  if (have?.ifalias !== spec.id || have.mtu !== spec.mtu || !have.flags.includes('UP')) lines.push(`link set dev ${bridge} alias ${spec.id} mtu ${spec.mtu} up`)
  if (config.underlay && !spec.external && !links.has(overlayName(spec.id))) await makeOverlay(config.underlay, names, spec)
  await ipBatch(names.cloud, lines)
  if (config.underlay && !spec.external) await convergeOverlay(config.underlay, names, spec, links.get(overlayName(spec.id))?.master)
  if (spec.external) await ensureUplink(names, spec, links.has(uplinkName(spec.id)) ? links.get(uplinkName(spec.id))?.master : undefined)
}

/** The device is made in the host's namespace, so that its own packets leave there, and lives in ours. */
async function makeOverlay(underlay: Underlay, names: CloudNames, spec: NetworkSpec): Promise<void> {
  await ipBatch(undefined, [
    `link add name ${overlayName(spec.id)} netns ${names.cloud} mtu ${spec.mtu}`
      + ` type vxlan id ${spec.segmentId} local ${underlay.localIp} dev ${underlay.device} dstport ${vxlanPort} learning`,
  ])
}

async function convergeOverlay(underlay: Underlay, names: CloudNames, spec: NetworkSpec, master: string | undefined): Promise<void> {
  const device = overlayName(spec.id), bridge = bridgeName(spec.id)
  if (master !== bridge) await ipBatch(names.cloud, [`link set dev ${device} master ${bridge} mtu ${spec.mtu} up`])
  const present = await floodPeers(names.cloud, device)
  await setFloodPeers(names.cloud, device, underlay.peers.filter(peer => !present.includes(peer)), present.filter(peer => !underlay.peers.includes(peer)))
}

/** The one pair that touches the host: its end carries the subnets' gateway addresses, so that the host reaches floating IPs. */
async function ensureUplink(names: CloudNames, spec: NetworkSpec, master: string | undefined): Promise<void> {
  const ours = uplinkName(spec.id), host = names.hostLink(spec.id), bridge = bridgeName(spec.id)
  const stands = (await ipLinks(undefined)).some(link => link.ifname === host)
  // Quiet before it is up: a guest on this network must not become the host's router by advertising itself.
  await ipBatch(undefined, [
    ...stands ? [] : [`link add name ${host} mtu ${spec.mtu} type veth peer name ${ours} mtu ${spec.mtu} netns ${names.cloud}`],
    `link set dev ${host} alias ${spec.id} addrgenmode ${spec.subnets.some(subnet => subnet.ipVersion === 6) ? 'eui64' : 'none'}`,
  ])
  await sysctl(undefined, {
    [`net/ipv6/conf/${host}/accept_ra`]: 0, [`net/ipv6/conf/${host}/accept_redirects`]: 0, [`net/ipv6/conf/${host}/autoconf`]: 0, [`net/ipv4/conf/${host}/promote_secondaries`]: 1,
  })
  if (!stands) master = undefined
  if (master !== bridge) await ipBatch(names.cloud, [`link set dev ${ours} master ${bridge} up`])
  const addresses = spec.subnets.flatMap(subnet => subnet.gatewayIp === undefined ? [] : [`${subnet.gatewayIp}/${parseCidr(subnet.cidr).length}`])
  await convergeInterior(undefined, [{ name: host, up: true, mtu: spec.mtu, addresses }], [], dev => dev === host)
}

/** A quick look whether a network's pieces are all there and plugged in, for when nothing but its leases changed. */
export async function networkStands(names: CloudNames, spec: NetworkSpec): Promise<boolean> {
  const bridge = bridgeName(spec.id), dhcp = wantsDhcp(spec)
  const [links, metadata, netns, hostLinks] = await Promise.all([
    ipLinks(names.cloud), netnsStands(names.metadata), !dhcp || netnsStands(names.dhcp(spec.id)), spec.external ? ipLinks(undefined) : [],
  ])
  const plugged = (name: string): boolean => links.some(link => link.ifname === name && link.master === bridge && link.flags.includes('LOWER_UP'))
  return metadata && netns && links.some(link => link.ifname === bridge && link.flags.includes('UP')) && (!dhcp || plugged(dhcpPlugName(spec.id)))
    && (!spec.external || (plugged(uplinkName(spec.id)) && hostLinks.some(link => link.ifname === names.hostLink(spec.id) && link.flags.includes('UP'))))
}

/** Refuses an external network on a range that the host itself uses: it would cut the host off from it, its own gateway perhaps. */
export async function refuseOverlap(names: CloudNames, spec: NetworkSpec): Promise<void> {
  const given = spec.subnets.filter(subnet => subnet.gatewayIp !== undefined) // without a gateway the host gets no address there
  for (const link of await ipAddresses(undefined)) {
    if (link.ifname === names.hostLink(spec.id)) continue
    for (const { local, prefixlen } of link.addr_info) {
      const subnet = given.find(subnet => overlaps(subnet.cidr, `${local}/${prefixlen}`))
      if (subnet) throw conflict(`Subnet ${subnet.cidr} overlaps with a network this host is on`, { adminDetail: `${link.ifname} has ${local}/${prefixlen}` })
    }
  }
}

/** Takes the links away; those that are not there are no trouble. */
export async function removeNetworkLinks(names: CloudNames, networkId: string): Promise<void> {
  const present = new Set((await ipLinks(names.cloud)).map(link => link.ifname))
  const host = names.hostLink(networkId)
  if ((await ipLinks(undefined)).some(link => link.ifname === host && (link.ifalias ?? networkId) === networkId)) await ipBatch(undefined, [`link delete dev ${host}`])
  else if (present.has(uplinkName(networkId))) await ipBatch(names.cloud, [`link delete dev ${uplinkName(networkId)}`])
  await ipBatch(names.cloud, [overlayName(networkId), bridgeName(networkId)].filter(name => present.has(name)).map(name => `link delete dev ${name}`))
}

// One network's DHCP, DNS and metadata namespace, and the dnsmasq in it.
import { readdir } from 'node:fs/promises'
import { dnsmasqAccount, dnsmasqPid, reloadDnsmasq, startDnsmasq, stopDnsmasq } from '#host/dnsmasq.ts'
import { ensureDirectory, readText, removeTree, writeAtomic } from '#host/files.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import { livesIn, removeNetns } from '#host/netns.ts'
import { nftApply, nftReplaceTable } from '#host/nft.ts'
import type { NetworkSpec } from '#drivers/network/contract.ts'
import { parseCidr, plainAddress, plainMac } from './addresses.ts'
import { ensurePrepared } from './cloud.ts'
import type { CompleteConfig } from './config.ts'
import { dhcpConfig, dhcpFolder, dhcpHosts, dhcpNames, dhcpOptions, dhcpPaths, metadataAddress, servedSubnets } from './dhcp-files.ts'
import { convergeInterior } from './interior.ts'
import { metadataRoutes, metadataTarget } from './metadata.ts'
import { bridgeName, dhcpLink, dhcpPlugName, metadataLink } from './names.ts'
import type { CloudNames } from './names.ts'

const files = (config: CompleteConfig, networkId: string) => {
  const paths = dhcpPaths(config.runDir, networkId)
  return { paths, process: { configPath: paths.config, pidPath: paths.pid } }
}

/** Only what it is for may enter; and it routes nothing but metadata, from the guests to the one address that answers them. */
const rules = (index: number): string => nftReplaceTable('inet', 'pileus', `
  chain metadata {
    type nat hook prerouting priority -100; policy accept;
    iifname "${dhcpLink}" ip daddr ${metadataAddress} tcp dport 80 dnat ip to ${metadataTarget(index)}
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "${dhcpLink}" oifname "${metadataLink}" ct status dnat accept
    iifname "${metadataLink}" ct state established accept
  }
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
    udp dport { 53, 67, 547 } accept
    tcp dport 53 accept
    meta l4proto { icmp, ipv6-icmp } accept
  }`)

/** Makes namespace, link, addresses and rules; the link to the metadata namespace is metadata.ts's and must follow. */
export async function ensureDhcpNamespace(names: CloudNames, spec: NetworkSpec, index: number): Promise<void> {
  const netns = names.dhcp(spec.id), plug = dhcpPlugName(spec.id), port = spec.dhcpPort as NonNullable<NetworkSpec['dhcpPort']>
  const mac = plainMac(port.mac)
  await ensurePrepared(netns, { 'net/ipv4/ip_forward': 1 })
  await nftApply(netns, rules(index))
  const inside = (await ipLinks(netns)).find(link => link.ifname === dhcpLink)
  const outside = (await ipLinks(names.cloud)).find(link => link.ifname === plug)
  if (inside === undefined && outside !== undefined) await ipBatch(names.cloud, [`link delete dev ${plug}`])
  const bridge = bridgeName(spec.id), { mtu } = spec
  if (inside !== undefined && outside?.master === bridge && outside.mtu === mtu) return
  await ipBatch(names.cloud, [
    ...inside === undefined ? [`link add dev ${plug} mtu ${mtu} type veth peer name ${dhcpLink} address ${mac} mtu ${mtu} netns ${netns}`] : [],
    `link set dev ${plug} mtu ${mtu} master ${bridge} up`,
  ])
}

/** Addresses and routes inside, once all links stand. */
export async function convergeDhcpNamespace(names: CloudNames, spec: NetworkSpec, index: number): Promise<void> {
  const port = spec.dhcpPort as NonNullable<NetworkSpec['dhcpPort']>
  const served = servedSubnets(spec)
  const addresses = port.ips.flatMap(ip => {
    const subnet = spec.subnets.find(s => s.id === ip.subnetId)
    return subnet === undefined ? [] : [`${plainAddress(ip.address)}/${parseCidr(subnet.cidr).length}`]
  })
  // The way out is for DNS questions to servers elsewhere.
  const gateways = ([4, 6] as const).flatMap(version => {
    const via = served.find(({ subnet }) => subnet.ipVersion === version && subnet.gatewayIp !== undefined)?.subnet.gatewayIp
    return via === undefined ? [] : [{ to: 'default', via: plainAddress(via), dev: dhcpLink, version }]
  })
  const metadata = metadataRoutes([index])
  await convergeInterior(names.dhcp(spec.id), [
    { name: dhcpLink, up: true, mtu: spec.mtu, mac: plainMac(port.mac), addresses: [...addresses, `${metadataAddress}/32`] },
    metadata.link,
  ], [...gateways, ...metadata.routes])
}

/** Starts dnsmasq, or starts it anew if its configuration changed, or makes it read its lists again if only they did. */
export async function ensureDnsmasq(config: CompleteConfig, names: CloudNames, spec: NetworkSpec): Promise<void> {
  const { paths, process } = files(config, spec.id)
  const account = await dnsmasqAccount()
  await ensureDirectory(paths.folder, 0o755)
  const wanted = [
    { path: paths.config, text: dhcpConfig(spec, paths, account.name, config.dnsServers), restart: true },
    { path: paths.options, text: dhcpOptions(spec), restart: false },
    { path: paths.hosts, text: dhcpHosts(spec), restart: false },
    { path: paths.names, text: dhcpNames(spec), restart: false },
  ]
  let restart = false, reload = false
  for (const file of wanted) {
    if (await readText(file.path) === file.text) continue
    // Guests' names and addresses are for dnsmasq, not for every account on the host.
    await writeAtomic(file.path, file.text, { mode: 0o400, owner: account })
    if (file.restart) restart = true
    else reload = true
  }
  const pid = await dnsmasqPid(process)
  if (pid !== undefined && !restart && await livesIn(pid, names.dhcp(spec.id))) {
    if (reload) reloadDnsmasq(pid)
    return
  }
  await stopDnsmasq(process)
  await startDnsmasq(names.dhcp(spec.id), process)
}

export async function removeDhcp(config: CompleteConfig, names: CloudNames, networkId: string): Promise<void> {
  const { paths, process } = files(config, networkId)
  await stopDnsmasq(process)
  const plug = dhcpPlugName(networkId)
  if ((await ipLinks(names.cloud)).some(link => link.ifname === plug)) await ipBatch(names.cloud, [`link delete dev ${plug}`])
  await removeNetns(names.dhcp(networkId))
  await removeTree(paths.folder)
}

/** Ends every dnsmasq of the cloud, also one whose namespace has lost its name. */
export async function stopAllDnsmasq(config: CompleteConfig): Promise<void> {
  for (const networkId of await readdir(dhcpFolder(config.runDir)).catch(() => [])) await stopDnsmasq(files(config, networkId).process)
}

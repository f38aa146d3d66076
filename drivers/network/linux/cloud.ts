// The cloud's own namespace: where all bridges and ports live, and where everything is filtered. It has no addresses and routes nothing.
import { access, stat } from 'node:fs/promises'
import { exec } from '#host/exec.ts'
import { ipBatch } from '#host/ip.ts'
import { ensureNetns, netnsPath, netnsStands, sysctl } from '#host/netns.ts'
import { nftApply } from '#host/nft.ts'
import { allTables } from './tables.ts'
import type { State } from './state.ts'

const bridgeCalls = ['iptables', 'ip6tables', 'arptables'].map(name => `net/bridge/bridge-nf-call-${name}`)

/**
 * The kernel's part that shows bridged packets to the stateful rules. Where it is a module not loaded yet, loading it would at once switch it on for the
 * host's own bridges; that is switched off again, as nothing of ours filters in the host's namespace.
 */
async function ensureBridgeNetfilter(): Promise<void> {
  const there = () => access(`/proc/sys/${bridgeCalls[0]}`).then(() => true, () => false)
  if (await there()) return
  await exec('modprobe', ['br_netfilter'])
  await exec('sh', ['-c', bridgeCalls.map(name => `echo 0 > /proc/sys/${name}`).join(' && ')])
}

/** What every namespace of ours starts from, whatever the host's defaults are. (Without promote_secondaries an address takes others along when it goes.) */
export const quietNamespace = {
  'net/ipv4/ip_forward': 0, 'net/ipv4/conf/all/promote_secondaries': 1, 'net/ipv4/conf/default/promote_secondaries': 1,
  'net/ipv4/conf/all/rp_filter': 0, 'net/ipv4/conf/default/rp_filter': 0,
  'net/ipv6/conf/all/accept_ra': 0, 'net/ipv6/conf/default/accept_ra': 0, 'net/ipv6/conf/default/accept_dad': 0,
}

/** Namespaces this process has prepared, by name and inode: one made anew under the same name is another. */
const prepared = new Map<string, number>()

/** Makes a namespace with these kernel parameters and its loopback up; asked again it costs nothing. */
export async function ensurePrepared(netns: string, parameters: Record<string, number>): Promise<void> {
  await ensureNetns(netns)
  const { ino } = await stat(netnsPath(netns))
  if (prepared.get(netns) === ino) return
  await sysctl(netns, { ...quietNamespace, ...parameters })
  await ipBatch(netns, ['link set dev lo up'])
  prepared.set(netns, ino)
}

/** Makes the namespace and both rule tables stand as `state` says: whole, in one transaction, without a moment unguarded. */
export async function ensureCloud(netns: string, state: State): Promise<void> {
  if (!await netnsStands(netns)) await ensureBridgeNetfilter()
  await ensureNetns(netns)
  await sysctl(netns, {
    ...quietNamespace,
    'net/ipv6/conf/all/disable_ipv6': 1, 'net/ipv6/conf/default/disable_ipv6': 1,
    'net/bridge/bridge-nf-call-iptables': 1, 'net/bridge/bridge-nf-call-ip6tables': 1, 'net/bridge/bridge-nf-call-arptables': 0,
  })
  await nftApply(netns, allTables(state))
  // Connections we never saw begin are not taken for known ones: else a reply could bring a cut connection back to life.
  // The parameter exists once conntrack does, which the tables have just called for.
  await sysctl(netns, { 'net/netfilter/nf_conntrack_tcp_loose': 0 })
  await ipBatch(netns, ['link set dev lo up'])
}
